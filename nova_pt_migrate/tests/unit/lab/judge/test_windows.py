# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.judge import record
from lab.judge import windows


def _samples(answers: str) -> list[record.Sample]:
    """One ping a second; a dot was answered, an x was not, an l late."""
    delays = {'.': 0.01, 'l': 2.5, 'x': None}
    return [
        record.Sample(number, float(number), delays[sign])
        for number, sign in enumerate(answers)
    ]


def _phase(name: str, start: float, end: float) -> record.Phase:
    return record.Phase(name, 'cmp1', start, end, 'ok')


class FindTest(unittest.TestCase):
    def test_no_window_where_all_are_answered(self):
        self.assertEqual((), windows.find(_samples('....')))

    def test_window_ends_with_the_next_answered_ping(self):
        self.assertEqual(
            (record.Window(1.0, 3.0, 2),), windows.find(_samples('.xx.'))
        )

    def test_an_answer_separates_windows(self):
        found = windows.find(_samples('x.xx.'))
        self.assertEqual([1, 2], [window.lost for window in found])

    def test_an_answer_that_comes_late_hides_no_loss(self):
        self.assertEqual(
            (record.Window(1.0, 4.0, 3),), windows.find(_samples('.xll.'))
        )

    def test_window_at_the_end_counts_to_its_last_ping(self):
        self.assertEqual(
            (record.Window(1.0, 2.0, 2),), windows.find(_samples('.xx'))
        )


class AssignTest(unittest.TestCase):
    phases = (_phase('unplug', 0.0, 5.0), _phase('move', 5.0, 20.0))

    def _assigned(self, start: float, end: float) -> str:
        window = record.Window(start, end, 1)
        return windows.assign([window], self.phases)[0].phase

    def test_a_window_inside_a_phase(self):
        self.assertEqual('unplug', self._assigned(1.0, 2.0))

    def test_a_window_across_phases_belongs_to_the_larger_part(self):
        self.assertEqual('move', self._assigned(4.0, 7.0))

    def test_a_window_in_no_phase_is_outside(self):
        self.assertEqual('outside', self._assigned(21.0, 22.0))

    def test_a_window_soon_after_a_plug_is_of_the_switch_over(self):
        phases = (_phase('plug', 5.0, 20.0),)
        soon = record.Window(21.0, 22.0, 1)
        late = record.Window(26.0, 27.0, 1)
        self.assertEqual(
            ['switch over', 'outside'],
            [w.phase for w in windows.assign([soon, late], phases)],
        )

    def test_without_phases_all_is_outside(self):
        window = record.Window(1.0, 2.0, 1)
        self.assertEqual('outside', windows.assign([window], ())[0].phase)

    def test_losses_are_summed_by_phase(self):
        found = [
            record.Window(1.0, 2.0, 3, 'plug'),
            record.Window(4.0, 4.5, 1, 'plug'),
            record.Window(9.0, 9.5, 1, 'move'),
        ]
        self.assertEqual(
            {'plug': (4, 1.5), 'move': (1, 0.5)},
            windows.lost_by_phase(found),
        )
