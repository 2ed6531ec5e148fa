# SPDX-License-Identifier: Apache-2.0
"""An ordinary port of the server is the standby of a pass-through port."""

from collections.abc import Callable
import threading
from typing import Any

import fixtures
from nova.tests.fixtures import neutron as nova_neutron

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import waits
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import bonded
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import waiting

GROUP = str(nova_neutron.NeutronFixture.security_group['id'])


class TwoPorts(paired.Paired):
    def allow(self, primary: str, standby: str) -> None:
        """Let the owner run what the refusal names."""
        ip = self.ports.show(primary)['fixed_ips'][0]['ip_address']
        mac = self.ports.show(standby)['mac_address']
        self.ports.change(
            standby,
            allowed_address_pairs=[{'ip_address': ip, 'mac_address': mac}],
        )


class NamingTest(TwoPorts):
    """Two pass-through ports with one ordinary port between them."""

    def assert_alone(self, which: int, tagged: int | None, tag: str) -> None:
        """One of the pass-through ports has a standby of our own.

        :param which: this one
        :param tagged: the one that the ordinary port's tag names
        """
        direct, (ordinary,) = self.ports.direct(2), self.ports.beside()
        ports = [*direct, ordinary]
        named = '' if tagged is None else direct[tagged]
        server = self.paired(
            ports, tags={ordinary: tag.format(named)}, pairing='bond'
        )
        whole = always.Always(self, server, ports, own=1)
        own = [pairs.link_name(direct[which])]
        self.assertEqual(own, self.standbys(server, base.SOURCE))
        self.allow(direct[1 - which], ordinary)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertEqual(own, self.standbys(server, base.DESTINATION))

    def test_by_itself(self) -> None:
        self.assert_alone(1, None, 'nic1')

    def test_by_the_device_tag_of_the_standby(self) -> None:
        self.assert_alone(0, 1, 'pt-standby:{}')

    def test_by_the_begin_of_a_uuid(self) -> None:
        self.assert_alone(0, 1, 'pt-standby:{:.11}')


class AttachTest(TwoPorts):
    def test_a_device_that_comes_to_a_standby(self) -> None:
        (ordinary,), (port,) = self.ports.beside(), self.ports.direct()
        server = self.paired([ordinary], pairing='bond')
        self.api.attach_interface(
            server['id'], {'interfaceAttachment': {'port_id': port}}
        )
        self.assertEqual([], self.standbys(server, base.SOURCE))
        whole = always.Always(self, server, [ordinary, port])
        self.allow(port, ordinary)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_second_port_that_comes_later(self) -> None:
        (port,), (ordinary,) = self.ports.direct(), self.ports.beside()
        server = self.paired([port], pairing='bond')
        self.assertEqual(1, len(self.standbys(server, base.SOURCE)))
        self.api.attach_interface(
            server['id'], {'interfaceAttachment': {'port_id': ordinary}}
        )
        whole = always.Always(self, server, [port, ordinary], own=1)
        self.allow(port, ordinary)
        self.migrate(server, 'error')
        whole.check(always.End(base.SOURCE, 'error'))
        self.assertIn('reboot the server hard', ours.shown(self, server))
        self.api.detach_interface(server['id'], port)
        self.wait_for(
            lambda: not self.standbys(server, base.SOURCE),
            'the standby to be gone with the device',
        )
        self.assert_nothing_left(base.SOURCE)


class ReadinessTest(TwoPorts):
    def setUp(self) -> None:
        super().setUp()
        (self.port,), (self.standby,) = (
            self.ports.direct(),
            self.ports.beside(),
        )

    def prepared(
        self, standby: str = 'required'
    ) -> tuple[dict[str, Any], always.Always]:
        ports = [self.port, self.standby]
        server = self.paired(ports, pairing='bond', standby=standby)
        return server, always.Always(self, server, ports)

    def test_what_neutron_drops_is_refused_with_the_command(self) -> None:
        server, whole = self.prepared()
        self.migrate(server, 'error')
        whole.check(always.End(base.SOURCE, 'error'))
        ip = self.ports.show(self.port)['fixed_ips'][0]['ip_address']
        self.assertIn(
            f'Run "openstack port set --allowed-address ip-address={ip} '
            f'{self.standby}"',
            ours.shown(self, server),
        )
        self.allow(self.port, self.standby)
        for port in (self.port, self.standby):
            self.ports.change(port, security_groups=[GROUP])
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertNotIn('pt_migrate_no_standby', self.events(server))

    def test_security_groups_that_differ_are_recorded(self) -> None:
        server, whole = self.prepared()
        self.allow(self.port, self.standby)
        self.ports.change(self.port, security_groups=[GROUP])
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertIn('pt_migrate_no_standby', self.events(server))

    def test_it_is_recorded_where_the_standby_is_only_preferred(self) -> None:
        server, whole = self.prepared(standby='preferred')
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertIn('pt_migrate_no_standby', self.events(server))

    def test_routers_that_do_not_learn(self) -> None:
        server, whole = self.prepared()
        self.allow(self.port, self.standby)
        (router,) = self.ports.beside()
        self.ports.change(
            router, device_owner='network:router_interface_distributed'
        )
        self.migrate(server, 'error')
        whole.check(always.End(base.SOURCE, 'error'))
        self.assertIn('DVR', ours.shown(self, server))

    def test_a_neutron_that_does_not_answer(self) -> None:
        server, whole = self.prepared()
        self.allow(self.port, self.standby)
        plain = self.neutron.list_ports

        def fail(*args: Any, **how: Any) -> Any:
            if 'device_owner' in how:
                raise ConnectionError('no route to host')
            return plain(*args, **how)

        with fixtures.MockPatchObject(self.neutron, 'list_ports', new=fail):
            self.migrate(server, 'error')
        whole.check(always.End(base.SOURCE, 'error'))
        self.assertIn('no route to host', ours.shown(self, server))
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))


class ArrivalTest(TwoPorts):
    """The bond is switched through the agent, and the guest may announce it.

    :ivar announced: the guest has sent on its second port
    """

    def setUp(self) -> None:
        super().setUp()
        (self.port,), (self.standby,) = (
            self.ports.direct(),
            self.ports.beside(),
        )
        ports = [self.port, self.standby]
        self.server = self.paired(ports, pairing='bond')
        self.whole = always.Always(self, self.server, ports)
        self.allow(self.port, self.standby)
        self.announced = threading.Event()

    def bond(self, announce: Callable[[], None] = lambda: None) -> None:
        """Give the guest a bond over the two ports, and an agent."""
        mac, second = (
            self.ports.show(port)['mac_address']
            for port in (self.port, self.standby)
        )
        self.guest = self.agents[self.server['id']] = bonded.Bonded(
            mac, self.has_device, second, announce
        )

    def has_device(self) -> bool:
        return any(
            documents.passthrough(machine.document)
            for hypervisor in self.double.hypervisors.values()
            for machine in list(hypervisor.machines.values())
            if machine.active
        )

    def announce(self) -> None:
        """Let the guest announce itself, when it comes to it."""
        machine = self.double.hypervisors[base.SOURCE].find(self.server['id'])

        def send() -> None:
            self.assertEqual([], self.double.calls.of(ours.OUR_UNPLUG))
            for target in documents.targets(machine.document):
                machine.sent[target] += 1
            self.announced.set()

        self.double.clock.later(0.5, send)

    def test_the_device_is_asked_for_when_traffic_has_arrived(self) -> None:
        self.bond(self.announce)
        self.migrate(self.server)
        self.assertTrue(self.announced.is_set())
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertEqual(bonded.DEVICE, self.guest.active())
        self.assertNotIn('pt_migrate_quiet', self.events(self.server))

    def test_a_quiet_guest_moves_and_that_is_told(self) -> None:
        self.useFixture(fixtures.MockPatchObject(waits, 'ARRIVED', 0.5))
        self.bond()
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertIn('pt_migrate_quiet', self.events(self.server))

    def test_an_abort_meanwhile(self) -> None:
        self.useFixture(fixtures.MockPatchObject(waits, 'ARRIVED', 600.0))
        self.bond(self.announced.set)
        self.migrate(self.server, 'cancelled', self.abort)
        self.assertEqual([], self.double.calls.of(ours.OUR_UNPLUG))
        self.whole.check(always.End(base.SOURCE, 'cancelled'))
        self.assertEqual(bonded.DEVICE, self.guest.active())

    def abort(self) -> None:
        self.assertTrue(self.announced.wait(waiting.PATIENCE))
        (migration,) = self.api.api_get(
            f'/os-migrations?instance_uuid={self.server["id"]}'
        ).body['migrations']
        self.api.api_delete(
            f'/servers/{self.server["id"]}/migrations/{migration["id"]}'
        )
