# SPDX-License-Identifier: Apache-2.0

import dataclasses
import ipaddress
from typing import Any

import testtools

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import two_ports
from nova_pt_migrate.pairing import bond
from nova_pt_migrate.pairing import two_ports as pairing

MAC = 'fa:16:3e:00:00:01'
OTHER = 'fa:16:3e:00:00:02'
VRRP = '00:00:5e:00:01:01'


def pair(ip: str, mac: str) -> two_ports.Pair:
    return two_ports.Pair(ipaddress.ip_network(ip), mac)


def port(name: str, mac: str, ip: str, **more: Any) -> two_ports.Port:
    return dataclasses.replace(
        two_ports.Port(
            id=name,
            mac=mac,
            up=True,
            fixed=(pair(ip, mac),),
            allowed=(),
            secured=True,
            filtered=True,
            groups=('web',),
        ),
        **more,
    )


PRIMARY = port('device', MAC, '192.0.2.1', filtered=False)
STANDBY = port(
    'standby', OTHER, '192.0.2.2', allowed=(pair('192.0.2.1', OTHER),)
)
SOUND = two_ports.TwoPorts(
    server='the-server',
    network='the-network',
    primary=PRIMARY,
    standby=STANDBY,
    router=None,
    all_passes=False,
)


def seen(
    primary: dict[str, Any] | None = None,
    standby: dict[str, Any] | None = None,
    **more: Any,
) -> two_ports.TwoPorts:
    return dataclasses.replace(
        SOUND,
        primary=dataclasses.replace(PRIMARY, **(primary or {})),
        standby=dataclasses.replace(STANDBY, **(standby or {})),
        **more,
    )


class TestNotReady(testtools.TestCase):
    def reason(self, **what: Any) -> str:
        (reason,) = pairing.not_ready(seen(**what))
        return reason

    def test_a_sound_pair(self) -> None:
        self.assertEqual((), pairing.not_ready(SOUND))

    def test_routers_that_do_not_learn(self) -> None:
        for router in two_ports.Router:
            reason = self.reason(router=router)
            self.assertIn(f'network the-network ({router})', reason)
            for command in (
                '"openstack server remove port the-server standby"',
                '"openstack server reboot --hard the-server"',
            ):
                self.assertIn(command, reason)

    def test_a_standby_that_is_switched_off(self) -> None:
        self.assertIn(
            'Run "openstack port set --enable standby"',
            self.reason(standby={'up': False}),
        )

    def test_addresses_that_the_standby_may_not_send_with(self) -> None:
        reason = self.reason(
            primary={
                'fixed': (pair('192.0.2.1', MAC), pair('2001:db8::1', MAC)),
                'allowed': (
                    pair('198.51.100.0/24', MAC),
                    pair('192.0.2.9', VRRP),
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
            'standby"',
            reason,
        )

    def test_the_mac_address_must_be_that_of_the_standby(self) -> None:
        reason = self.reason(standby={'allowed': (pair('192.0.2.1', MAC),)})
        self.assertIn('ip-address=192.0.2.1 standby', reason)

    def test_a_network_of_addresses_will_do(self) -> None:
        for ip in ('192.0.2.0/28', '0.0.0.0/0'):
            what = seen(standby={'allowed': (pair(ip, OTHER),)})
            self.assertEqual((), pairing.not_ready(what))
        for ip in ('192.0.2.0/32', '::/0', '198.51.100.0/24'):
            self.reason(standby={'allowed': (pair(ip, OTHER),)})

    def test_nobody_checks_the_addresses(self) -> None:
        what = seen(standby={'allowed': (), 'secured': False})
        self.assertEqual((), pairing.not_ready(what))

    def test_all_at_once(self) -> None:
        what = seen(
            standby={'allowed': (), 'up': False}, router=two_ports.Router.OVN
        )
        self.assertEqual(3, len(pairing.not_ready(what)))


class TestDoubts(testtools.TestCase):
    def doubt(self, **what: Any) -> str:
        (doubt,) = pairing.doubts(seen(**what))
        return doubt

    def test_the_same_security_groups_or_more(self) -> None:
        self.assertEqual((), pairing.doubts(SOUND))
        what = seen(standby={'groups': ('ssh', 'web')})
        self.assertEqual((), pairing.doubts(what))

    def test_groups_that_only_the_device_has(self) -> None:
        self.assertIn(
            'Run "openstack port set --security-group web --security-group '
            'db standby"',
            self.doubt(
                primary={'groups': ('web', 'ssh', 'db')},
                standby={'groups': ('ssh',)},
            ),
        )

    def test_a_device_without_port_security(self) -> None:
        self.assertIn(
            'Run "openstack port set --no-security-group '
            '--no-allowed-address --disable-port-security standby"',
            self.doubt(primary={'secured': False, 'groups': ()}),
        )

    def test_a_device_without_security_groups(self) -> None:
        self.assertIn(
            'Run "openstack port set --security-group GROUP standby"',
            self.doubt(primary={'groups': ()}),
        )

    def test_a_standby_that_drops_nothing(self) -> None:
        primary = {'secured': False, 'groups': ()}
        for what in (
            seen(primary, standby={'filtered': False}),
            seen(primary, all_passes=True),
        ):
            self.assertEqual((), pairing.doubts(what))


class TestBond(testtools.TestCase):
    def view(self, **more: Any) -> pairs.View:
        over = pairs.Pair(
            port='device',
            device='0000:81:10.1',
            mac=MAC,
            whole_function=False,
            kind=pairs.StandbyKind.PORT,
            standby_mac=OTHER,
            standby_port='standby',
        )
        return pairs.View(
            over, pcie=True, virtio=True, standby_there=True, **more
        )

    def bond(self, fail_over_mac: str) -> pairs.GuestView:
        slaves = (
            pairs.Slave('ens5', MAC, True),
            pairs.Slave('ens6', OTHER, True),
        )
        found = pairs.Bond(
            'bond0', 'active-backup', 'ens5', slaves, fail_over_mac
        )
        return pairs.GuestView({}, (found,))

    def test_what_neutron_says_and_what_the_guest_says(self) -> None:
        wrong = seen(standby={'up': False, 'groups': ()})
        view = self.view(ports=wrong, guest=self.bond('none'))
        found = bond.BondPairing().not_ready(view)
        self.assertIn('--enable', found[0])
        self.assertIn('set its fail_over_mac to active', found[1])
        (doubt,) = bond.BondPairing().doubts(view)
        self.assertIn('--security-group web', doubt)

    def test_a_bond_with_the_address_of_the_active_slave(self) -> None:
        view = self.view(ports=SOUND, guest=self.bond('active'))
        self.assertEqual((), bond.BondPairing().not_ready(view))

    def test_neutron_is_not_asked(self) -> None:
        self.assertEqual((), bond.BondPairing().not_ready(self.view()))
        self.assertEqual((), bond.BondPairing().doubts(self.view()))
