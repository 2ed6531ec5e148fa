# SPDX-License-Identifier: Apache-2.0
"""What holds for every plug-in: it is asked, and answers in whole sentences.

The suites of the single groups are built on it: :mod:`pairing_contract` and
:mod:`network_contract`.
"""

from collections.abc import Callable
from collections.abc import Sequence
import re
from typing import Any
from typing import TYPE_CHECKING
import unittest

from nova_pt_migrate.testing import watched

LONGEST = 1_500
"""Characters of a sentence."""
MOST = 16
"""Sentences of one answer, whatever the guest claims."""
_SENTENCE = re.compile(r'\A[^a-z\s].*[:;.] .*\.\Z')
_COMMAND = re.compile(r'"([^"]*)"')
_SHOWN = '\0'
"""In the place of a word that is shown as it should be."""

if TYPE_CHECKING:
    _Base = unittest.TestCase
else:
    _Base = object


class PluginRules(_Base):
    """Checks that are made of every answer.

    :cvar plugin: the class that the entry point names
    """

    plugin: Callable[[], Any]

    def assert_only_looks(self, ask: Callable[[], Any]) -> None:
        """It opens, starts and waits for nothing."""
        with watched.watched() as done:
            ask()
        self.assertEqual([], done[:MOST])

    def assert_sentences(self, found: Any, *where: str) -> None:
        """They are for an operator who has nothing but them.

        :param found: the answer of a plug-in
        :param where: what each has to name
        """
        self.assertIsInstance(found, tuple)
        self.assertEqual(len(set(found)), len(found), found)
        for sentence in found:
            self.assertRegex(
                sentence,
                _SENTENCE,
                'It begins with a capital, says what is wrong, then what to '
                'do, and ends with a full stop.',
            )
            for name in where:
                self.assertIn(name, sentence)
        self.assert_harmless(found, '')

    def assert_harmless(self, found: Sequence[str], word: str) -> None:
        """They are short and printable, whatever the guest has said.

        Its word is in them escaped and in quotes, if at all
        (:func:`text.shown`), and not in a command that is to be copied.

        :param found: sentences
        :param word: that the guest has said; none is empty
        """
        self.assertLessEqual(len(found), MOST)
        for sentence in found:
            self.assertLess(len(sentence), LONGEST)
            self.assertTrue(sentence.isprintable(), repr(sentence))
        for sentence in found if word else ():
            rest = _without_shown(sentence, word)
            self.assertNotIn(word, rest)
            for command in _COMMAND.findall(rest):
                self.assertNotIn(_SHOWN, command)


def _without_shown(sentence: str, word: str) -> str:
    """Return a sentence without what is shown of a guest with a word in it.

    As :func:`text.shown` does, which quotes as Python does.
    """
    escaped = ascii(word)
    quote, inner = escaped[0], escaped[1:-1]
    literal = re.compile(rf'{quote}(?:[^{quote}\\]|\\.)*{quote}')
    start = sentence.find(quote)
    while start >= 0:
        shown = literal.match(sentence, start)
        if shown and inner in shown[0]:
            sentence = f'{sentence[:start]}{_SHOWN}{sentence[shown.end() :]}'
        start = sentence.find(quote, start + 1)
    return sentence
