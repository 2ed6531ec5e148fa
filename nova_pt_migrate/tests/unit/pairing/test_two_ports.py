# SPDX-License-Identifier: Apache-2.0

from typing import Any

import testtools

from nova_pt_migrate.core import two_ports
from nova_pt_migrate.pairing import bond
from nova_pt_migrate.pairing import two_ports as pairing
from nova_pt_migrate.testing import views

MAC = views.MAC
OTHER = views.STANDBY_MAC
VRRP = '00:00:5e:00:01:01'
SOUND = views.ports()
OVER = views.pair(views.SECOND)


class TestNotReady(testtools.TestCase):
    def reason(self, **what: Any) -> str:
        (reason,) = pairing.not_ready(views.ports(**what))
        return reason

    def test_a_sound_pair(self) -> None:
        self.assertEqual((), pairing.not_ready(SOUND))

    def test_routers_that_do_not_learn(self) -> None:
        for router in two_ports.Router:
            reason = self.reason(router=router)
            self.assertIn(f'network the-network ({router})', reason)
            for command in (
                '"openstack server remove port the-server the-standby"',
                '"openstack server reboot --hard the-server"',
            ):
                self.assertIn(command, reason)

    def test_a_standby_that_is_switched_off(self) -> None:
        self.assertIn(
            'Run "openstack port set --enable the-standby"',
            self.reason(standby={'up': False}),
        )

    def test_addresses_that_the_standby_may_not_send_with(self) -> None:
        reason = self.reason(
            primary={
                'fixed': (
                    views.address('192.0.2.1', MAC),
                    views.address('2001:db8::1', MAC),
                ),
                'allowed': (
                    views.address('198.51.100.0/24', MAC),
                    views.address('192.0.2.9', VRRP),
                ),
            },
            standby={'allowed': ()},
        )
        self.assertIn(
            'Run "openstack port set '
            '--allowed-address ip-address=192.0.2.1 '
            '--allowed-address ip-address=2001:db8::1 '
            '--allowed-address ip-address=198.51.100.0/24 '
            f'--allowed-address ip-address=192.0.2.9,mac-address={VRRP} '
            'the-standby"',
            reason,
        )

    def test_the_mac_address_must_be_that_of_the_standby(self) -> None:
        reason = self.reason(
            standby={'allowed': (views.address('192.0.2.1', MAC),)}
        )
        self.assertIn('ip-address=192.0.2.1 the-standby', reason)

    def test_a_network_of_addresses_will_do(self) -> None:
        for ip in ('192.0.2.0/28', '0.0.0.0/0'):
            what = views.ports(
                standby={'allowed': (views.address(ip, OTHER),)}
            )
            self.assertEqual((), pairing.not_ready(what))
        for ip in ('192.0.2.0/32', '::/0', '198.51.100.0/24'):
            self.reason(standby={'allowed': (views.address(ip, OTHER),)})

    def test_nobody_checks_the_addresses(self) -> None:
        what = views.ports(standby={'allowed': (), 'secured': False})
        self.assertEqual((), pairing.not_ready(what))

    def test_all_at_once(self) -> None:
        what = views.ports(
            standby={'allowed': (), 'up': False}, router=two_ports.Router.OVN
        )
        self.assertEqual(3, len(pairing.not_ready(what)))


class TestDoubts(testtools.TestCase):
    def doubt(self, **what: Any) -> str:
        (doubt,) = pairing.doubts(views.ports(**what))
        return doubt

    def test_the_same_security_groups_or_more(self) -> None:
        self.assertEqual((), pairing.doubts(SOUND))
        what = views.ports(standby={'groups': ('ssh', 'web')})
        self.assertEqual((), pairing.doubts(what))

    def test_groups_that_only_the_device_has(self) -> None:
        self.assertIn(
            'Run "openstack port set --security-group web --security-group '
            'db the-standby"',
            self.doubt(
                primary={'groups': ('web', 'ssh', 'db')},
                standby={'groups': ('ssh',)},
            ),
        )

    def test_a_device_without_port_security(self) -> None:
        self.assertIn(
            'Run "openstack port set --no-security-group '
            '--no-allowed-address --disable-port-security the-standby"',
            self.doubt(primary={'secured': False, 'groups': ()}),
        )

    def test_a_device_without_security_groups(self) -> None:
        self.assertIn(
            'Run "openstack port set --security-group GROUP the-standby"',
            self.doubt(primary={'groups': ()}),
        )

    def test_a_standby_that_drops_nothing(self) -> None:
        primary = {'secured': False, 'groups': ()}
        for what in (
            views.ports(primary, standby={'filtered': False}),
            views.ports(primary, all_passes=True),
        ):
            self.assertEqual((), pairing.doubts(what))


class TestBond(testtools.TestCase):
    def view(self, fail_over_mac: str, **more: Any) -> Any:
        found = views.bond(OVER, fail_over_mac=fail_over_mac)
        return views.view(OVER, guest=views.guest(found), **more)

    def test_what_neutron_says_and_what_the_guest_says(self) -> None:
        wrong = views.ports(standby={'up': False, 'groups': ()})
        view = self.view('none', ports=wrong)
        found = bond.BondPairing().not_ready(view)
        self.assertIn('--enable', found[0])
        self.assertIn('set its fail_over_mac to active', found[1])
        (doubt,) = bond.BondPairing().doubts(view)
        self.assertIn('--security-group web', doubt)

    def test_a_bond_with_the_address_of_the_active_slave(self) -> None:
        view = self.view('active')
        self.assertEqual((), bond.BondPairing().not_ready(view))

    def test_neutron_is_not_asked(self) -> None:
        view = self.view('active', ports=None)
        self.assertEqual((), bond.BondPairing().not_ready(view))
        self.assertEqual((), bond.BondPairing().doubts(view))
