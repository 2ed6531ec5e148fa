# SPDX-License-Identifier: Apache-2.0

import dataclasses
import unittest

from lab.judge import record
from lab.scenarios import short
from nova_pt_migrate.tests.unit.lab import synthetic


class ShortTest(unittest.TestCase):
    def test_the_note_tells_when_all_was_clean(self):
        there, back = short.notes(list(synthetic.run().moves))
        self.assertIn('There: everything was found clean', there)
        self.assertIn('4 s after the client', back)

    def test_nothing_is_called_clean_that_was_not(self):
        bad = record.Check('the guest answers', False, 'no echo')
        move = dataclasses.replace(synthetic.move(), checks=(bad,))
        self.assertEqual((), short.notes([move]))
