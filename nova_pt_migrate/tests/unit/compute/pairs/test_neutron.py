# SPDX-License-Identifier: Apache-2.0

import threading
from typing import Any

import fixtures
from nova.network import neutron as neutron_api
import testtools

from nova_pt_migrate.compute.pairs import neutron
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import two_ports
from nova_pt_migrate.testing import views
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports

SERVER = '33333333-2222-4333-8444-555555555555'
NETWORK = '44444444-2222-4333-8444-555555555555'
GROUP = '55555555-2222-4333-8444-555555555555'
PRIMARY = test_paired_ports.PORT
STANDBY = f'3{PRIMARY[1:]}'
MAC = 'fa:16:3e:00:00:01'
OTHER = 'fa:16:3e:00:00:03'
OPEN = {
    'protocol': None,
    'remote_group_id': None,
    'remote_ip_prefix': None,
}


def rule(direction: str, version: str, **more: Any) -> dict[str, Any]:
    return {'direction': direction, 'ethertype': version, **OPEN, **more}


class Neutron:
    """Answers as Neutron's client does, and counts the questions."""

    def __init__(self) -> None:
        self.ports: dict[str, dict[str, Any]] = {
            port: {
                'id': port,
                'network_id': NETWORK,
                'device_id': SERVER,
                'mac_address': mac,
                'admin_state_up': True,
                'fixed_ips': [{'ip_address': ip}],
                'allowed_address_pairs': [],
                'port_security_enabled': True,
                'security_groups': [GROUP],
                'binding:vif_details': {'port_filter': port == STANDBY},
            }
            for port, mac, ip in (
                (PRIMARY, MAC, '192.0.2.1'), (STANDBY, OTHER, '192.0.2.2'),
            )
        }  # fmt: skip
        self.owners: list[str] = []
        self.rules: list[Any] = []
        self.asked: list[str] = []

    def list_ports(self, **how: Any) -> dict[str, Any]:
        if 'id' in how:
            self.asked.append('ports')
            return {'ports': [self.ports[port] for port in how['id']]}
        self.asked.append('routers')
        return {
            'ports': [
                {'network_id': network, 'device_owner': owner}
                for network in how['network_id']
                for owner in self.owners
                if owner in how['device_owner']
            ]
        }

    def list_security_groups(self, **how: Any) -> dict[str, Any]:
        self.asked.append('groups')
        return {
            'security_groups': [
                {'id': group, 'security_group_rules': self.rules}
                for group in how['id']
            ]
        }


class AskTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.neutron = Neutron()
        self.client: Any = lambda *_args, **_more: self.neutron
        self.useFixture(
            fixtures.MockPatchObject(
                neutron_api,
                'get_client',
                lambda *args, **more: self.client(*args, **more),
            )
        )
        self.standby = self.neutron.ports[STANDBY]

    def ask(self) -> two_ports.TwoPorts:
        return neutron.ask(test_paired_ports.over_two())[PRIMARY]

    def test_a_pair(self) -> None:
        self.standby['allowed_address_pairs'] = [
            {'ip_address': '192.0.2.1', 'mac_address': OTHER.upper()},
            {'ip_address': '2001:db8::/64'},
        ]
        pair = views.address
        self.assertEqual(
            two_ports.TwoPorts(
                server=SERVER,
                network=NETWORK,
                primary=two_ports.Port(
                    id=PRIMARY,
                    mac=MAC,
                    up=True,
                    fixed=(pair('192.0.2.1', MAC),),
                    allowed=(),
                    secured=True,
                    filtered=False,
                    groups=(GROUP,),
                ),
                standby=two_ports.Port(
                    id=STANDBY,
                    mac=OTHER,
                    up=True,
                    fixed=(pair('192.0.2.2', OTHER),),
                    allowed=(
                        pair('192.0.2.1', OTHER),
                        pair('2001:db8::/64', OTHER),
                    ),
                    secured=True,
                    filtered=True,
                    groups=(GROUP,),
                ),
                router=None,
                all_passes=False,
            ),
            self.ask(),
        )
        self.assertEqual(['ports', 'routers', 'groups'], self.neutron.asked)

    def test_nobody_is_asked_for_nothing(self) -> None:
        self.assertEqual({}, neutron.ask([]))
        self.assertEqual([], self.neutron.asked)

    def test_what_is_not_told_is_enforced(self) -> None:
        for name in ('port_security_enabled', 'binding:vif_details'):
            del self.standby[name]
        found = self.ask().standby
        self.assertTrue(found.secured and found.filtered)

    def test_a_standby_without_port_security(self) -> None:
        self.standby['port_security_enabled'] = False
        found = self.ask().standby
        self.assertFalse(found.secured or found.filtered)
        self.assertEqual(['ports', 'routers'], self.neutron.asked)

    def test_the_routers_of_a_network(self) -> None:
        ovn, dvr = two_ports.Router.OVN, two_ports.Router.DVR
        interface = 'network:router_interface'
        for owners, driver, router in (
            (['network:router_interface_distributed'], 'openvswitch', dvr),
            (['network:router_centralized_snat'], 'openvswitch', dvr),
            ([interface], 'openvswitch', None),
            ([interface], 'ovn', ovn),
            ([interface, 'network:distributed'], 'other', ovn),
            (['network:distributed'], 'ovn', None),
            (['network:router_gateway'], 'ovn', None),
            ([], 'ovn', None),
        ):
            self.neutron.owners = owners
            self.standby['binding:vif_details'] = {
                'bound_drivers': {'0': driver}
            }
            self.assertEqual(router, self.ask().router, str(owners))

    def test_security_groups_that_let_everything_through(self) -> None:
        both = [rule('ingress', 'IPv4'), rule('egress', 'IPv4')]
        for rules, passes in (
            (both, True),
            ([*both, 'a-rule'], True),
            (both[:1], False),
            ([both[0], rule('egress', 'IPv6')], False),
            ([both[0], {**both[1], 'remote_ip_prefix': '0.0.0.0/0'}], True),
            ([both[0], {**both[1], 'remote_ip_prefix': '10.0.0.0/8'}], False),
            ([both[0], {**both[1], 'protocol': 'tcp'}], False),
            ([both[0], {**both[1], 'remote_group_id': GROUP}], False),
            ([both[0], {**both[1], 'remote_address_group_id': '1'}], False),
        ):
            self.neutron.rules = rules
            self.assertEqual(passes, self.ask().all_passes, str(rules))

    def error(self) -> str:
        return str(self.assertRaises(errors.HostError, self.ask))

    def test_words_that_are_no_addresses(self) -> None:
        evil = '\x1b[31m"; rm -rf'
        for name, value in (
            ('mac_address', evil),
            ('device_id', evil),
            ('security_groups', [evil]),
            ('fixed_ips', [{'ip_address': evil}]),
            ('allowed_address_pairs', [{'ip_address': evil}]),
            ('allowed_address_pairs', evil),
        ):
            self.neutron = Neutron()
            for port in self.neutron.ports.values():
                port[name] = value
            self.assertTrue(self.error().isprintable(), name)

    def test_a_port_that_is_gone(self) -> None:
        del self.neutron.ports[STANDBY]
        self.assertIn(STANDBY, self.error())

    def test_neutron_refuses(self) -> None:
        def refuse(*_args: Any, **_more: Any) -> Any:
            raise ConnectionError('no route\nto host')

        self.client = refuse
        reason = self.error()
        self.assertIn('ConnectionError', reason)
        self.assertTrue(reason.isprintable())

    def test_neutron_does_not_answer_in_time(self) -> None:
        answer = threading.Event()
        self.addCleanup(answer.set)
        self.useFixture(fixtures.MockPatchObject(neutron, 'ANSWER', new=0.01))
        self.client = lambda *_args, **_more: answer.wait(60)
        self.assertIn('not answered for 0.01 s', self.error())
