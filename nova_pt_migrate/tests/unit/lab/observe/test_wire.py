# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest

from lab.observe import wire

OWN, FORGED = 'fa:16:3e:0a:09:32', '52:54:00:0f:00:01'
LINES = f"""\
tcpdump: listening on dt1, link-type EN10MB (Ethernet)
1800000000.5 {OWN} > 96:0c:65:6e:26:7c, ethertype IPv4 (0x0800), length 98: \
10.9.0.50 > 10.9.0.1: ICMP echo reply, id 1, seq 2, length 64
1800000001.5 {FORGED} > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: \
Request who-has 10.99.0.3 tell 10.99.0.2, length 28
1800000002.5 {OWN} > ff:ff:ff:ff:ff:ff, ethertype 802.1Q (0x8100), length 64: \
vlan 110, p 0, ethertype Reverse ARP (0x8035), Reverse Request, length 46
"""


class WireTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, 'wire-dt1.txt')
        path.write_text(LINES)
        self.wire = wire.Wire({'dt1': path, 'dt2': path.with_name('none')})
        self.wire.add(wire.read(LINES.splitlines(), wire.BESIDE, 10.0))

    def test_each_frame_has_time_sender_and_vlan(self):
        own, forged, tagged = wire.read(LINES.splitlines(), 'dt1')
        self.assertEqual(wire.Frame(1800000000.5, 'dt1', OWN, None), own)
        self.assertEqual(FORGED, forged.source)
        self.assertEqual((OWN, 110), (tagged.source, tagged.vlan))

    def test_frames_of_one_sender_in_a_time(self):
        def count(start: float, end: float, *places: str) -> int:
            found = self.wire.between(start, end, OWN, *places)
            return len(found)

        self.assertEqual(2, count(1800000000, 1800000003))
        self.assertEqual(1, count(1800000001, 1800000003, 'dt1'))
        self.assertEqual(0, count(1800000000, 1800000003, wire.BESIDE))
        self.assertEqual(2, count(1799999990, 1799999993, wire.BESIDE))

    def test_frames_are_counted_by_place_and_vlan(self):
        self.assertEqual(
            '1 by dt1, 1 by dt1.110',
            wire.counted(self.wire.between(1800000000, 1800000003, OWN)),
        )
        self.assertEqual('none', wire.counted([]))
