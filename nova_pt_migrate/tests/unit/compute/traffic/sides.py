# SPDX-License-Identifier: Apache-2.0

import dataclasses
from typing import Any
from typing import cast

import fixtures
import testtools

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.server import bringing
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.traffic import guest_side
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import act
from nova_pt_migrate.core import model
from nova_pt_migrate.core import order
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import waits
from nova_pt_migrate.testing import links as fake_links
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.compute.server import test_bringing
from nova_pt_migrate.tests.unit.guest import fakes

MAC = test_paired_ports.MAC
LINK = 'pts11111111-22'
PF = 'eth1'
DEVICE = '0000:81:10.1'
ACTIVE = '/sys/class/net/bond0/bonding/active_slave'


class Domain:
    """A guest with the standby in it.

    :ivar live: host PCI addresses of the devices in it
    :ivar linked: it sees a link on the standby
    """

    def __init__(self) -> None:
        self.live = [DEVICE]
        self.linked = False

    def set_link(self, target: str, up: bool) -> None:
        assert target == LINK
        self.linked = up

    def observe(self) -> model.Found:
        live = {
            address: model.FoundDevice(address, '<hostdev/>', 'hostdev0')
            for address in self.live
        }
        return model.Found(
            True,
            1.0,
            live,
            live,
            {LINK: test_paired_ports.TWIN},
            frozenset() if self.linked else frozenset({LINK}),
        )


class Reporter:
    """Keeps what users are told."""

    def __init__(self) -> None:
        self.remarks: list[reasons.Failure] = []

    def begin(self, phase: phases.Phase) -> None:
        pass

    def end(self, phase: phases.Phase) -> None:
        pass

    def remark(self, failure: reasons.Failure) -> None:
        self.remarks.append(failure)


class Pairs:
    """A server of which nothing but the pairs is brought somewhere.

    :param server: made from the hands, and from what looks
    """

    def __init__(
        self,
        ports: list[paired_ports.PairedPort],
        observer: observer.Observer,
        hands: act.Hands,
        domain: Any,
        both: bool,
    ) -> None:
        settings = dataclasses.replace(
            test_bringing.SETTINGS, mac_filters='both' if both else 'one'
        )
        self.domain = domain
        self.reporter = Reporter()
        self.here, self.elsewhere = (
            bringing.Server(
                test_bringing.Instance(),
                with_hands,
                ports,
                looks,
                lambda vif: '',
                settings,
                self.reporter,
            )
            for with_hands, looks in (
                (
                    dataclasses.replace(
                        hands,
                        domain=domain,
                        guest=guest_side.GuestSide(ports, observer),
                    ),
                    observer,
                ),
                (hands, None),
            )
        )

    def over(self, departure: departures.Departure | None = None) -> list[str]:
        """Leave, as far as that is done with the devices still there."""
        self.domain.live = [DEVICE]
        self.here.bring(order.Place.LEAVING, departure=departure)
        return [told.text for told in self.reporter.remarks]

    def alone(self) -> None:
        """Leave, as far as that is done with the devices gone."""
        self.domain.live = []
        self.here.bring(order.Place.LEAVING)

    def back(self, live: list[str]) -> bool:
        self.domain.live = live
        return not self.here.bring(order.Place.HOME)

    def arrive(self) -> None:
        self.elsewhere.bring(order.Place.ARRIVING)

    def silence(self) -> None:
        self.elsewhere.bring(order.Place.AWAY)


class HostSideTest(testtools.TestCase):
    standby_mac = test_paired_ports.TWIN

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.links = fake_links.Links()
        self.links.links[LINK] = fake_links.Link(cast(Any, None))
        self.guest = fakes.Guest([])
        self.now = 0.0
        self.domain: Any = Domain()

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def pairs(
        self,
        ports: list[paired_ports.PairedPort] | None = None,
        both: bool = True,
    ) -> Pairs:
        return Pairs(
            ports or test_paired_ports.own('bond'),
            self.observer(),
            act.Hands(
                self.links,
                time=waits.Time(lambda: self.now, lambda s: self.pause(s)),
            ),
            self.domain,
            both,
        )

    def observer(self) -> observer.Observer:
        return observer.Observer(cast(Any, self.domain), self.guest.agent)

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
