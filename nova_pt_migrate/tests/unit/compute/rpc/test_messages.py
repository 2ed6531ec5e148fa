# SPDX-License-Identifier: Apache-2.0

import json
from typing import Any

import testtools

from nova_pt_migrate.compute.rpc import messages
from nova_pt_migrate.core import domain_words

WORD = domain_words.Word(True, 3, 2, 0)
SAID = {'active': True, 'state': 3, 'reason': 2, 'job': 0}


class TestWord(testtools.TestCase):
    def test_there_and_back(self) -> None:
        for word in (WORD, None):
            sent = json.loads(json.dumps(messages.of_word(word)))
            self.assertEqual(word, messages.word_of(sent))

    def test_anything_else_is_refused(self) -> None:
        wrong: list[Any] = [
            None,
            [],
            'running',
            {},
            {'domain': {}},
            {'domain': [True, 3, 2, 0]},
            {'domain': SAID, 'more': 1},
            {'domain': {**SAID, 'more': 1}},
            {'domain': {**SAID, 'active': 1}},
            {'domain': {**SAID, 'state': True}},
            {'domain': {**SAID, 'state': '1'}},
            {'domain': {**SAID, 'job': 0.0}},
            {'domain': {**SAID, 'reason': None}},
            {'domain': {k: v for k, v in SAID.items() if k != 'job'}},
        ]
        for answer in wrong:
            self.assertRaises(ValueError, messages.word_of, answer)
