# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.judge import phases

SERVER = '5b1c1a4e-0d3c-4f43-9b39-1d9a3c2f7a10'
NOON = 1_795_435_200.0  # 2026-11-23 12:00:00 UTC


def _line(seconds: str, fields: str, server: str = SERVER) -> str:
    return (
        f'2026-11-23 12:00:{seconds} 611 INFO nova_pt_migrate.compute '
        f'[None req-1 - - - - - -] pt_migrate {fields} server={server}\n'
    )


class ReadTest(unittest.TestCase):
    def test_other_lines_and_other_servers_are_left_out(self):
        lines = [
            'Traceback (most recent call last):\n',
            '2026-11-23 12:00:01.000 611 INFO nova.compute [-] pt_migrate\n',
            _line('01.000', 'phase=look event=start', 'another'),
            _line('02.500', 'phase=look event=start'),
        ]
        marks = phases.read(lines, 'cmp1', SERVER)
        self.assertEqual([NOON + 2.5], [mark.time for mark in marks])

    def test_the_clock_of_the_host_is_corrected(self):
        lines = [_line('02.500', 'phase=look event=start')]
        mark = phases.read(lines, 'cmp1', SERVER, ahead=0.5)[0]
        self.assertEqual(NOON + 2, mark.time)


class PairTest(unittest.TestCase):
    def _phases(self, *lines: str):
        marks = phases.read(lines, 'cmp1', SERVER)
        return phases.pair(marks, NOON, NOON + 60)

    def test_a_phase_has_its_times_and_result(self):
        (phase,) = self._phases(
            _line('01.000', 'phase=unplug event=start devices=-'),
            _line('03.250', 'phase=unplug event=end result=ok devices=-'),
        )
        self.assertEqual(('unplug', 'cmp1'), (phase.name, phase.host))
        self.assertEqual(2.25, phase.seconds)
        self.assertEqual(('ok', ()), (phase.result, phase.devices))

    def test_devices_that_overlap_are_kept_apart(self):
        one, two = self._phases(
            _line('01.000', 'phase=plug event=start devices=0000:01:10.1'),
            _line('02.000', 'phase=plug event=start devices=0000:01:10.3'),
            _line('03.000', 'phase=plug event=end devices=0000:01:10.1'),
            _line('05.000', 'phase=plug event=end devices=0000:01:10.3'),
        )
        self.assertEqual((('0000:01:10.1',), 2), (one.devices, one.seconds))
        self.assertEqual((('0000:01:10.3',), 3), (two.devices, two.seconds))

    def test_a_phase_that_was_never_left_says_so(self):
        (phase,) = self._phases(_line('01.000', 'phase=move event=start'))
        self.assertEqual('never left', phase.result)
        self.assertEqual(NOON + 60, phase.end)

    def test_earlier_migrations_are_left_out(self):
        marks = phases.read(
            [_line('01.000', 'phase=move event=start')], 'cmp1', SERVER
        )
        self.assertEqual((), phases.pair(marks, NOON + 30, NOON + 60))
