# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any
from typing import cast

import fixtures
import testtools

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.traffic import host_side
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import model
from nova_pt_migrate.testing import links as fake_links
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.guest import fakes

MAC = test_paired_ports.MAC
LINK = 'pts11111111-22'
PF = 'eth1'
DEVICE = '0000:81:10.1'
ACTIVE = '/sys/class/net/bond0/bonding/active_slave'


class Domain:
    """A guest with the standby in it."""

    def observe(self) -> model.Found:
        return model.Found(True, 1.0, {}, {}, {LINK: test_paired_ports.TWIN})


class HostSideTest(testtools.TestCase):
    standby_mac = test_paired_ports.TWIN

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.links = fake_links.Links()
        self.links.links[LINK] = fake_links.Link(cast(Any, None))
        self.guest = fakes.Guest([])
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def pairs(
        self,
        ports: list[paired_ports.PairedPort] | None = None,
        both: bool = True,
    ) -> host_side.HostSide:
        return host_side.HostSide(
            types.SimpleNamespace(),
            ports or test_paired_ports.own('bond'),
            self.observer(),
            self.links,
            both,
            clock=lambda: self.now,
            pause=self.pause,
        )

    def observer(self) -> observer.Observer:
        return observer.Observer(cast(Any, Domain()), self.guest.agent)

    def on(self) -> bool:
        return self.links.links[LINK].up

    def bond(self, active: str = 'ens5', slaves: str = 'ens5 ens6') -> None:
        """Give the guest a bond, and an agent that does everything."""
        self.guest.enabled = fakes.ALL
        macs = {'ens5': MAC, 'ens6': self.standby_mac}
        self.guest.interfaces = [*macs.items(), ('bond0', MAC)]
        self.guest.files = {
            '/sys/class/net/bonding_masters': 'bond0',
            ACTIVE: active,
            '/sys/class/net/ens5/flags': '0x1003',
            '/sys/class/net/ens5/device/uevent': 'DRIVER=igbvf\n',
            '/sys/class/net/ens6/device/uevent': 'DRIVER=virtio_net\n',
            '/proc/net/bonding/bond0': (
                'Bonding Mode: fault-tolerance (active-backup)\n'
                + ''.join(
                    f'Slave Interface: {name}\nMII Status: up\n'
                    f'Permanent HW addr: {macs[name]}\n'
                    for name in slaves.split()
                )
            ),
        }
