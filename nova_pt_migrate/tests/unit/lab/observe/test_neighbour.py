# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.observe import neighbour


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
