# SPDX-License-Identifier: Apache-2.0

import dataclasses
import unittest

from lab.judge import address
from lab.report import losses


def _loss(
    name: str, unplug: float, passed: bool = True, kind: str = 'bond'
) -> losses.Loss:
    lost = {'unplug': unplug}
    return losses.Loss(kind, name, passed, 1.0, lost, {}, {'outside': lost})


class LossesTest(unittest.TestCase):
    def test_a_row_has_median_and_most_of_each_phase(self):
        found = [_loss(str(n), n, n != 2) for n in (1.0, 2.0, 6.0)]
        (row,) = losses.rows(found, 'outside')
        self.assertEqual(('bond', '3', '2', '2.00 6.00'), row[:4])
        self.assertEqual({'0.00 0.00'}, set(row[4:-1]))

    def test_a_server_that_is_not_whole_is_said(self):
        self.assertIn('NOT whole', _loss('bond 1', 0.5, False).said())
        self.assertIn('outside unplug 0.50 s', _loss('bond 1', 0.5).said())

    def test_ours_is_compared_with_what_was_measured_beside_it(self):
        found = [
            _loss('1', 0.1),
            _loss('2', 0.3),
            _loss('1', 0.4, kind='stock'),
        ]
        (row,) = losses.ratios(found, 'outside')
        self.assertEqual(('bond', 'stock', '0.200 0.400 0.50'), row[:3])
        self.assertEqual('0.000 0.000 none', row[-1])
        self.assertEqual([], losses.ratios(found[:2], 'outside'))

    def test_where_the_address_was(self):
        found = [
            dataclasses.replace(
                _loss(str(first), 0.1),
                where=address.Found(first, 9, ('too early',) if late else ()),
            )
            for first, late in ((0.25, True), (0.5, False), (None, False))
        ]
        self.assertEqual(
            [
                ('bond', '3', '0.375 0.500', '27', '1'),
                ('stock', '0', 'none', '0', '0'),
            ],
            losses.addresses([*found, _loss('4', 0.1, kind='stock')]),
        )
        self.assertIn('first frame after 0.250 s', found[0].said())
        self.assertIn('too early', found[0].said())
        self.assertIn('first frame none', found[2].said())
