# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.hosts import config
from lab.judge import address as judged
from lab.observe import address
from lab.observe import clock
from lab.observe import facts

MAC = 'fa:16:3e:0a:00:32'
SERVER = facts.Server('a-1', '10.9.0.50', (MAC,))
EPOCH = 1795959136.0
PF = config.PHYSICAL_FUNCTION


def _lines(*entries: tuple[str, str]) -> list[str]:
    lines = []
    for micro, entry in entries:
        lines += [f'Timestamp: Sun Nov 29 13:32:16 2026 {micro} usec', entry]
    return lines


class AddressTest(unittest.TestCase):
    def test_where_the_switch_learned_it(self):
        lines = _lines(
            ('250000', f'{MAC} dev dt1 master br-data'),
            ('500000', 'fa:16:3e:0a:00:33 dev dt2 master br-data'),
            ('500001', f'{MAC} dev mg1 master br-mgmt'),
            ('750000', f'{MAC} dev up2 master br-data'),
            ('800000', f'Deleted {MAC} dev up2 master br-data'),
        )
        kind = judged.Kind.LEARNED
        self.assertEqual(
            [
                judged.Sight(EPOCH + 0.25, 'cmp1', kind),
                judged.Sight(EPOCH + 0.75, 'cmp2', kind),
            ],
            address.learned_at(lines, SERVER, {'dt1': 'cmp1', 'up2': 'cmp2'}),
        )

    def test_when_a_filter_let_it_in_and_shut_it_out(self):
        lines = _lines(
            ('500000', f'{MAC} dev {PF} self permanent'),
            ('500001', f'{MAC} dev other self permanent'),
            ('750000', f'Deleted {MAC} dev {PF} self permanent'),
        )
        self.assertEqual(
            [
                judged.Sight(EPOCH, 'cmp2', judged.Kind.OPENED, 0.125),
                judged.Sight(EPOCH + 0.25, 'cmp2', judged.Kind.CLOSED, 0.125),
            ],
            address.filtered(lines, SERVER, 'cmp2', clock.Ahead(0.5, 0.125)),
        )

    def test_a_macvtap_is_a_filter_while_it_is_on(self):
        link = '7: pts0123@{}: <BROADCAST,MULTICAST{}> mtu 1500 qdisc noqueue'
        ether = f'    link/ether {MAC} brd ff:ff:ff:ff:ff:ff'
        lines: list[str] = []
        for micro, flags, mac in (
            (500000, '', MAC),
            (600000, ',UP,LOWER_UP', MAC),
            (700000, ',UP', 'fa:16:3e:0a:00:33'),
            (800000, ',LOWER_UP', MAC),
        ):
            lines += _lines((str(micro), link.format(PF, flags)))
            lines.append(ether.replace(MAC, mac))
        lines += _lines(
            ('900000', f'Deleted {link.format(PF, ",UP")}'),
        )
        lines.append(ether)
        found = address.filtered(lines, SERVER, 'a', clock.Ahead(0.0, 0.0))
        closed, opened = judged.Kind.CLOSED, judged.Kind.OPENED
        self.assertEqual(
            [(0.5, closed), (0.6, opened), (0.8, closed), (0.9, closed)],
            [(round(s.time - EPOCH, 6), s.kind) for s in found],
        )
