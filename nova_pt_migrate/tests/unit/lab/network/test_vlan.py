# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.network import vlan

HEAD = bytes(range(12))
FRAME = HEAD + b'\x08\x00' + b'payload'


class TagTest(unittest.TestCase):
    def test_a_tag_stands_behind_the_addresses(self):
        self.assertEqual(
            HEAD + b'\x81\x00\x00\x6e' + FRAME[12:], vlan.tagged(FRAME, 110)
        )

    def test_what_was_tagged_comes_out_as_it_was(self):
        frame = vlan.tagged(FRAME, 110)
        self.assertEqual(FRAME, vlan.untagged(frame, 110))
        urgent = frame[:14] + bytes([frame[14] | 0xE0]) + frame[15:]
        self.assertEqual(FRAME, vlan.untagged(urgent, 110))

    def test_all_else_is_of_others(self):
        for frame in (FRAME, vlan.tagged(FRAME, 111), HEAD + b'\x81\x00'):
            with self.subTest(frame=frame):
                self.assertIsNone(vlan.untagged(frame, 110))
