# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.observe import neighbour
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


class NeighbourTest(unittest.TestCase):
    def test_lost_and_answered_pings_by_our_clock(self):
        samples = neighbour.read(
            (
                'PING 10.9.0.50 (10.9.0.50) 56(84) bytes of data.',
                '[102.50] 64 bytes from 10.9.0.50: icmp_seq=1 ttl=64 '
                'time=500 ms',
                '[102.52] no answer yet for icmp_seq=2',
                '[102.53] From 10.9.0.11 icmp_seq=3 Destination Host '
                'Unreachable',
                '[103.00] 64 bytes from 10.9.0.50: icmp_seq=4 ttl=64 '
                'time=10.0 ms',
                '[103.00] 64 bytes from 10.9.0.50: icmp_seq=4 ttl=64 '
                'time=12.0 ms (DUP!)',
            ),
            ahead=2.0,
        )
        self.assertEqual([1, 2, 4], [s.sequence for s in samples])
        self.assertEqual([0.5, None, 0.01], [s.delay for s in samples])
        for wanted, sample in zip(
            (100.0, 100.5, 100.99), samples, strict=True
        ):
            self.assertAlmostEqual(wanted, sample.sent)

    def test_a_late_answer_counts_and_numbers_wrap(self):
        samples = neighbour.read(
            (
                '[10.00] no answer yet for icmp_seq=65535',
                '[10.50] 64 bytes from 10.9.0.50: icmp_seq=65535 ttl=64 '
                'time=520 ms',
                '[10.52] 64 bytes from 10.9.0.50: icmp_seq=0 ttl=64 '
                'time=1.00 ms',
            )
        )
        self.assertEqual([0.52, 0.001], [s.delay for s in samples])
