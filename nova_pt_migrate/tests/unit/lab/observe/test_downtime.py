# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.judge import record
from lab.judge import windows
from lab.observe import downtime

NOWHERE = record.Place('', (), (), ())
LINE = "event {1} at 17956296{0}000 for domain 'a-1': <null>"
EPOCH = 1795629600.0


def _move() -> record.Move:
    return record.Move(
        'one', 'cmp1', 'cmp2', EPOCH, EPOCH + 30, NOWHERE, NOWHERE,
        (), (), (), (0.0, 0.0), settled=2.0,
    )  # fmt: skip


class StopsTest(unittest.TestCase):
    def test_what_lies_before_in_and_after_the_stop(self):
        stopped = downtime.Stops()
        stopped.seen = {
            'cmp1': downtime.read(
                [
                    LINE.format('11.500', 'STOP'),
                    LINE.format('20.500', 'STOP'),
                    LINE.format('22.000', 'SHUTDOWN'),
                    'events received: 3',
                ],
                ahead=0.5,
            ),
            'cmp2': downtime.read([LINE.format('21.000', 'RESUME')]),
        }
        found = stopped.phases(_move())
        self.assertEqual(
            [('unplug', 0.0, 20.0), ('move', 20.0, 21.0), ('plug', 21.0, 37)],
            [(p.name, p.start - EPOCH, p.end - EPOCH) for p in found],
        )
        self.assertEqual(EPOCH + 21, stopped.went_on(_move()))
        window = record.Window(EPOCH + 19, EPOCH + 22, 150)
        self.assertEqual(
            {'unplug': 1.0, 'move': 1.0, 'plug': 1.0},
            windows.cut([window], found),
        )

    def test_a_migration_that_never_stopped_the_guest_has_none(self):
        stopped = downtime.Stops()
        stopped.seen = {'cmp1': [], 'cmp2': []}
        self.assertEqual((), stopped.phases(_move()))
        self.assertIsNone(stopped.went_on(_move()))
