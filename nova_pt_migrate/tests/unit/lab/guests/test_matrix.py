# SPDX-License-Identifier: Apache-2.0

import json
import unittest

from lab.guests import matrix
from lab.guests import trial


class MatrixTest(unittest.TestCase):
    STEPS = (
        trial.Step('first boot', 1.0),
        trial.Step('plug', 2.0, note='by us'),
    )

    def test_the_table_and_the_sentences(self):
        wrong = (*self.STEPS, trial.Step('undo', 3.0, 'bond0 is still there'))
        cells = [
            matrix.Cell('a', 'prepare', 1.0, '', self.STEPS),
            matrix.Cell(
                'b', 'manage', 1.0, matrix.failure(wrong, 'later'), wrong
            ),
        ]
        text = matrix.text(cells, ('prepare', 'manage'))
        rows = [line.split() for line in text.splitlines()]
        self.assertIn(['a', 'passed', 'not', 'run'], rows)
        self.assertIn(['b', 'not', 'run', 'failed'], rows)
        self.assertIn('b, manage: undo: bond0 is still there\n', text)
        self.assertIn('a, prepare, plug: by us\n', text)
        self.assertEqual(2, len(json.loads(matrix.document(cells))))

    def test_what_failed_outside_of_a_step(self):
        self.assertEqual('no QEMU', matrix.failure((), 'no QEMU'))
        self.assertEqual('no QEMU', matrix.failure(self.STEPS, 'no QEMU'))
