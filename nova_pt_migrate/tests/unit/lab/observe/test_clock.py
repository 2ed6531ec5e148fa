# SPDX-License-Identifier: Apache-2.0

import struct
import unittest

from lab.observe import clock
from lab.observe import probe

IPV4 = bytes([0x46]) + bytes(23)
"""A header with an option."""
MIDNIGHT = 1795910400.0


def _reply(*parts: int) -> bytes:
    return IPV4 + struct.pack('!BBHHHIII', *parts)


class ClockTest(unittest.TestCase):
    def test_a_request_has_a_right_checksum(self):
        self.assertEqual(0, probe.checksum(clock.request(7, 3)))

    def test_only_our_answer_is_read(self):
        self.assertEqual(
            5.0015,
            clock.answered(_reply(14, 0, 0, 7, 3, 9, 5000, 5002), 7, 3),
        )
        for parts in (
            (13, 0, 0, 7, 3, 9, 5000, 5002),
            (14, 0, 0, 8, 3, 9, 5000, 5002),
            (14, 0, 0, 7, 2, 9, 5000, 5002),
        ):
            self.assertIsNone(clock.answered(_reply(*parts), 7, 3))
        self.assertIsNone(clock.answered(IPV4 + bytes(12), 7, 3))

    def test_it_is_compared_with_the_middle_of_the_way(self):
        sent = MIDNIGHT + 100
        found = clock.ahead(102.25, sent, sent + 0.5)
        self.assertAlmostEqual(2.0, found.seconds, 6)
        self.assertAlmostEqual(0.2505, found.error, 6)

    def test_midnight_between_the_two(self):
        found = clock.ahead(1.0, MIDNIGHT - 1, MIDNIGHT - 1)
        self.assertAlmostEqual(2.0, found.seconds, 6)
        found = clock.ahead(86399.0, MIDNIGHT + 1, MIDNIGHT + 1)
        self.assertAlmostEqual(-2.0, found.seconds, 6)
