# SPDX-License-Identifier: Apache-2.0

import dataclasses
import types
from typing import Any
from typing import cast

import fixtures
from lxml import etree
import os_vif
import testtools

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.pairs import standbys
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import links
from nova_pt_migrate.testing import links as fake_links
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.compute.server import test_bringing

NETWORK = '22222222-2222-4333-8444-555555555555'


class StandbysTest(testtools.TestCase):
    """What os-vif and our plug-in make of a server's standbys."""

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.links = fake_links.Links()
        self.useFixture(
            fixtures.MockPatchObject(links, 'HostLinks', lambda: self.links)
        )
        os_vif.initialize(reset=True)
        self.guarded = True
        self.noted: list[str] = []

    def standbys(self, kind: str = 'bridge', on: str = 'br-ext') -> Any:
        settings = dataclasses.replace(
            test_bringing.SETTINGS,
            standby_uplinks={
                'physnet1': uplinks.Uplink(uplinks.Kind(kind), on)
            },
        )
        finder = paired_ports.PairedPorts(
            settings,
            plugins.pairings(['none', 'failover', 'bond']),
            cast(Any, self.links),
        )
        found = standbys.Standbys(
            lambda _port: self.guarded, self.noted.append
        )
        return types.SimpleNamespace(
            plug=lambda server, vifs: found.plug(
                server, finder.of(server, vifs)
            ),
            unplug=lambda server, vifs: found.unplug(
                server, finder.of(server, vifs)
            ),
            add_to=lambda xml, server, vifs: standbys.add_to(
                xml, finder.of(server, vifs)
            ),
        )

    def instance(self, pairing: str = 'failover') -> Any:
        return types.SimpleNamespace(
            uuid=test_paired_ports.PORT,
            name='instance-1',
            project_id='project',
            flavor=test_paired_ports.instance(pairing=pairing).flavor,
            image_meta=test_paired_ports.instance().image_meta,
        )

    def vifs(self) -> list[Any]:
        return [test_paired_ports.vif(network=NETWORK)]

    def test_a_netdev_is_made_as_the_uplink_says(self) -> None:
        for kind, on in (
            (uplinks.Kind.BRIDGE, 'br-ext'),
            (uplinks.Kind.OVS, 'br-ex'),
            (uplinks.Kind.MACVTAP, 'eth2'),
        ):
            self.links.links.clear()
            found = self.standbys(kind, on)
            found.plug(self.instance(), self.vifs())
            (link,) = self.links.links.values()
            self.assertEqual(
                links.NewLink(
                    name='pts11111111-22',
                    mac=test_paired_ports.MAC,
                    kind=kind,
                    on=on,
                    vlan=42,
                    mtu=9000,
                    guarded=True,
                    port=test_paired_ports.PORT,
                    server=test_paired_ports.PORT,
                ),
                link.new,
            )
            self.assertFalse(link.up)
            found.unplug(self.instance(), self.vifs())
            self.assertEqual({}, self.links.links)

    def test_a_port_whose_addresses_nobody_checks(self) -> None:
        self.guarded = False
        self.standbys().plug(self.instance(), self.vifs())
        (link,) = self.links.links.values()
        self.assertFalse(link.new.guarded)

    def test_one_that_cannot_be_made(self) -> None:
        def fault(_what: object) -> None:
            raise errors.HostError('no bridge')

        self.links.fault = fault
        error = self.assertRaises(
            errors.HostError,
            self.standbys().plug, self.instance(), self.vifs(),
        )  # fmt: skip
        self.assertIn('no bridge', str(error))
        self.standbys().unplug(self.instance(), self.vifs())
        self.assertIn(
            f'Netdev pts11111111-22, the standby of port '
            f'{test_paired_ports.PORT}, stays on this host: delete it',
            self.log.output,
        )  # fmt: skip
        self.assertEqual([test_paired_ports.PORT], self.noted)

    def test_the_element_of_each_pairing(self) -> None:
        for pairing, mac, teaming in (
            ('failover', test_paired_ports.MAC, ['persistent']),
            ('bond', test_paired_ports.TWIN, []),
        ):
            xml = self.standbys().add_to(
                '<domain><devices/></domain>',
                self.instance(pairing),
                self.vifs(),
            )
            (interface,) = etree.fromstring(xml).find('devices')
            self.assertEqual('ethernet', interface.get('type'))
            self.assertEqual(mac, interface.find('mac').get('address'))
            target = interface.find('target')
            self.assertEqual('pts11111111-22', target.get('dev'))
            self.assertEqual('no', target.get('managed'))
            self.assertEqual(
                teaming, [e.get('type') for e in interface.findall('teaming')]
            )
            self.assertEqual(
                f'ua-pts-{test_paired_ports.PORT}',
                interface.find('alias').get('name'),
            )

    def test_the_mtu_that_its_driver_may_have(self) -> None:
        """net_failover makes its link with 1500, and takes none with less."""
        for pairing, mtu, sizes in (
            ('bond', 1442, ['1442']),
            ('bond', 9000, ['9000']),
            ('failover', 1442, []),
            ('failover', 1500, ['1500']),
            ('failover', 9000, ['9000']),
        ):
            (vif,) = self.vifs()
            vif['network'].mtu = mtu
            xml = self.standbys().add_to(
                '<domain><devices/></domain>', self.instance(pairing), [vif]
            )
            found = etree.fromstring(xml).findall('devices/interface/mtu')
            self.assertEqual(sizes, [each.get('size') for each in found])

    def test_a_server_without_pairs(self) -> None:
        found = self.standbys()
        found.plug(self.instance('none'), self.vifs())
        self.assertEqual({}, self.links.links)
        self.assertEqual(
            '<domain/>',
            found.add_to('<domain/>', self.instance('none'), self.vifs()),
        )
