# SPDX-License-Identifier: Apache-2.0

import json
from typing import Any
import unittest

from lab.guests import inside
from lab.guests import wires

ADDRESS = '10.0.2.15'
OTHER_ADDRESS = '10.0.3.15'


def link(name: str, mac: str, **more: Any) -> dict[str, Any]:
    return {
        'ifname': name,
        'address': mac,
        'mtu': wires.MTU,
        'addr_info': [],
        **more,
    }


def address(local: str, scope: str = 'global') -> list[dict[str, str]]:
    return [{'family': 'inet', 'local': local, 'scope': scope}]


class Guest:
    """What ``ip`` prints in a guest whose bond is whole."""

    def __init__(self) -> None:
        self.bond = link(
            'bond0',
            wires.PRIMARY,
            linkinfo={
                'info_kind': 'bond',
                'info_data': {'mode': 'active-backup', 'active_slave': 'p'},
            },
            addr_info=address(ADDRESS) + address('fe80::1', 'link'),
        )
        self.primary = link('p', wires.PRIMARY, master='bond0')
        self.standby = link(
            's', wires.PRIMARY, permaddr=wires.STANDBY, master='bond0'
        )
        self.other = link('o', wires.OTHER, addr_info=address(OTHER_ADDRESS))
        self.links = [self.bond, self.primary, self.standby, self.other]

    def wrong(self, active: str = wires.PRIMARY, slaves: int = 2) -> str:
        found = inside.nics(json.dumps(self.links))
        return '; '.join(inside.with_bond(found, active, slaves))

    def worse(self, **metrics: int) -> str:
        found = inside.nics(json.dumps(self.links))
        routes = [{'dev': d, 'metric': m} for d, m in metrics.items()]
        return '; '.join(inside.as_before(found, json.dumps(routes)))

    def without(self) -> str:
        found = inside.nics(json.dumps(self.links))
        return '; '.join(inside.without_bond(found))


class WithBondTest(unittest.TestCase):
    def setUp(self):
        self.guest = Guest()

    def test_one_that_is_whole(self):
        self.assertEqual('', self.guest.wrong())

    def test_any_address_of_the_network(self):
        self.guest.bond.update(addr_info=address('10.0.2.16'))
        self.guest.other.update(addr_info=address('10.0.3.17'))
        self.assertEqual('', self.guest.wrong())

    def test_on_the_standby_alone(self):
        self.guest.links.remove(self.guest.primary)
        self.guest.bond['linkinfo']['info_data']['active_slave'] = 's'
        self.assertEqual('', self.guest.wrong(wires.STANDBY, 1))
        self.assertIn('1 of 2', self.guest.wrong(wires.STANDBY))

    def test_what_the_nic_had(self):
        self.assertEqual('', self.guest.worse(bond0=101, o=100))
        self.assertIn('after those', self.guest.worse(bond0=300, o=100))
        self.assertIn('after those', self.guest.worse(o=100))
        self.guest.other.update(mtu=1500)
        self.assertEqual('', self.guest.worse(bond0=100, o=101))
        self.guest.bond.update(mtu=1500)
        self.assertIn('MTU 1500', self.guest.worse(bond0=100, o=101))

    def test_what_may_be_wrong(self):
        for change, words in (
            (lambda g: g.links.remove(g.bond), 'there are 0 bonds'),
            (lambda g: g.bond.update(address=wires.STANDBY), 'MAC address'),
            (lambda g: g.bond.update(addr_info=[]), 'has the addresses ()'),
            (
                lambda g: g.bond.update(addr_info=address(OTHER_ADDRESS)),
                'bond0 has the addresses',
            ),
            (
                lambda g: g.bond['addr_info'].extend(address('10.0.2.16')),
                'bond0 has the addresses',
            ),
            (lambda g: g.primary.pop('master'), 'p is not in bond0'),
            (
                lambda g: g.standby.update(addr_info=address('10.0.2.16')),
                's has the addresses',
            ),
            (lambda g: g.links.remove(g.other), 'unrelated NIC has gone'),
            (lambda g: g.other.update(master='bond0'), 'was touched'),
            (lambda g: g.other.update(addr_info=[]), 'unrelated NIC has'),
        ):
            self.guest = Guest()
            change(self.guest)
            self.assertIn(words, self.guest.wrong())

    def test_another_active_slave(self):
        self.assertIn('active slave is p', self.guest.wrong(wires.STANDBY))
        self.guest.bond['linkinfo']['info_data'].pop('active_slave')
        self.assertIn('active slave is none', self.guest.wrong())


class WithoutBondTest(unittest.TestCase):
    def test_the_bare_network(self):
        guest = Guest()
        self.assertIn('bond0 is still there', guest.without())
        guest.links.remove(guest.bond)
        self.assertIn('not just its address', guest.without())
        guest.primary.update(addr_info=address(ADDRESS))
        self.assertEqual('', guest.without())


class JoinedTest(unittest.TestCase):
    def setUp(self):
        self.link = link('l', wires.PRIMARY, addr_info=address(ADDRESS))
        self.standby = link('lnsby', wires.PRIMARY, master='l')
        self.primary = link('p', wires.PRIMARY, master='l')
        self.links = [
            self.link,
            self.standby,
            self.primary,
            link('o', wires.OTHER, addr_info=address(OTHER_ADDRESS)),
        ]

    def wrong(self, slaves: int = 2) -> str:
        found = inside.nics(json.dumps(self.links))
        return '; '.join(inside.joined(found, slaves))

    def test_it_is_whole_with_both_and_with_the_standby(self):
        self.assertEqual('', self.wrong())
        self.links.remove(self.primary)
        self.assertEqual('', self.wrong(1))
        self.assertIn('1 NICs of 2', self.wrong())

    def test_a_slave_that_its_manager_has_taken(self):
        self.primary['addr_info'], self.link['addr_info'] = (
            self.link['addr_info'], [],
        )  # fmt: skip
        self.assertIn("p has the addresses ('10.0.2.15',)", self.wrong())
        self.assertIn('l has the addresses ()', self.wrong())
