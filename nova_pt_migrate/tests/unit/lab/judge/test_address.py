# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.judge import address
from lab.judge import record

NOWHERE = record.Place('', (), (), ())
MOVE = record.Move(
    'one', 'cmp1', 'cmp2', 0.0, 30.0, NOWHERE, NOWHERE,
    (), (), (), (0.0, 0.0),
)  # fmt: skip
STOPPED, RUNS = 9.25, 10.0
ERROR = 0.25
SENT, LEARNED = address.Kind.SENT, address.Kind.LEARNED
OPENED, CLOSED = address.Kind.OPENED, address.Kind.CLOSED
RIGHT = [
    address.Sight(3.0, 'cmp1', OPENED),
    address.Sight(9.0, 'cmp1', SENT),
    address.Sight(9.0, 'cmp1', LEARNED),
    address.Sight(9.5, 'cmp1', CLOSED),
    address.Sight(9.625, 'cmp2', OPENED),
    address.Sight(10.75, 'cmp2', SENT),
    address.Sight(10.75, 'cmp2', LEARNED),
    address.Sight(15.0, 'cmp2', CLOSED),
]


class AddressTest(unittest.TestCase):
    def found(self, *more: address.Sight) -> address.Found:
        # In whatever order they come.
        return address.judge(
            [*more, *reversed(RIGHT)], MOVE, STOPPED, RUNS, ERROR
        )

    def test_a_right_order(self):
        self.assertEqual(address.Found(0.75, 8, ()), self.found())

    def test_the_destination_had_it_too_early(self):
        for kind, time in ((SENT, 9.5), (LEARNED, 9.5), (OPENED, 8.5)):
            with self.subTest(kind):
                found = self.found(
                    address.Sight(time, 'cmp2', kind),
                    address.Sight(time, 'cmp2', CLOSED),
                )
                when = f'{time - RUNS:+.3f} s (within 0.000)'
                self.assertEqual(
                    (f'{when}: {kind.value} cmp2',), found.wrong[:1]
                )
                self.assertEqual(0.75, found.first)

    def test_the_source_had_it_too_late(self):
        for kind in (SENT, LEARNED, OPENED):
            with self.subTest(kind):
                found = self.found(address.Sight(10.5, 'cmp1', kind))
                self.assertIn(
                    f'+0.500 s (within 0.000): {kind.value} cmp1', found.wrong
                )

    def test_what_the_clocks_do_not_tell_is_not_wrong(self):
        found = self.found(
            address.Sight(9.75, 'cmp2', SENT),
            address.Sight(9.5, 'cmp2', LEARNED, 0.25),
            address.Sight(10.25, 'cmp1', SENT),
        )
        self.assertEqual((), found.wrong)
        self.assertEqual(0.0, found.first)

    def test_two_filters_at_once(self):
        late = [
            each
            for each in RIGHT
            if (each.host, each.kind) != ('cmp1', CLOSED)
        ]
        late.append(address.Sight(10.625, 'cmp1', CLOSED))
        found = address.judge(late, MOVE, STOPPED, RUNS, ERROR)
        self.assertEqual(
            (f'-0.375 s (within 0.000): {OPENED.value} cmp2',), found.wrong
        )

    def test_without_a_frame_there_is_no_first(self):
        found = address.judge(RIGHT[:5], MOVE, STOPPED, RUNS, ERROR)
        self.assertEqual(address.Found(None, 5, ()), found)
