# SPDX-License-Identifier: Apache-2.0
"""Ports that leave, or that something is left of, while a server migrates."""

from collections.abc import Callable
from typing import Any

from neutronclient.common import exceptions as neutron
from nova import objects
from nova.network import model as network_model

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.core import reasons
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes


class Meanwhile(ours.OurMigrations):
    """Something happens to a port between two phases."""

    def begin(self, server: dict[str, Any]) -> None:
        self.api.post_server_action(
            server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )

    def machine(self, server: dict[str, Any]) -> Any:
        return self.double.hypervisors[base.SOURCE].find(server['id'])

    def copy(self, server: dict[str, Any]) -> None:
        """Begin, and return when memory is copied."""
        self.double.settings.copy_seconds = base.NEVER
        self.begin(server)
        self.wait_for(lambda: self.machine(server).migrating, 'the copy')

    def finish(self, server: dict[str, Any]) -> None:
        """Have the rest of the memory copied."""
        self.double.job(self.machine(server)).finish()

    def abort(self, server: dict[str, Any]) -> None:
        (migration,) = self.api.api_get(
            f'/os-migrations?instance_uuid={server["id"]}'
        ).body['migrations']
        self.api.api_delete(
            f'/servers/{server["id"]}/migrations/{migration["id"]}'
        )

    def ended(self, server: dict[str, Any], status: str) -> None:
        self.wait_for(
            lambda: self.is_ended(server, 0, {status}),
            f'the end: {status}',
            self.migrations(server),
        )

    def assert_gone(self, server: dict[str, Any], *devices: str) -> None:
        """No host has anything of these devices for the server."""
        for name, compute in self.computes.items():
            held = pci_tracker.held(compute.manager.rt).get(server['id'], [])
            self.assertEqual(
                [], [d.address for d in held if d.address in devices], name
            )
        for name, hypervisor in self.double.hypervisors.items():
            machine = hypervisor.machines.get(server['id'])
            for document in (
                (machine.live, machine.persistent) if machine else ()
            ):
                self.assertEqual(
                    [],
                    [
                        documents.host_address(element)
                        for element in documents.passthrough(document)
                        if documents.host_address(element) in devices
                    ],
                    name,
                )


class DeletedPortTest(Meanwhile):
    """Neutron deletes a port while memory is copied."""

    def delete(
        self,
        then: Callable[[dict[str, Any]], None],
        end: always.End,
        first: bool = False,
    ) -> None:
        """Begin with two ports, and end with one.

        :param then: what happens to the migration
        :param first: it is the one that Nova asks for first
        """
        ports = self.ports.direct(2)
        server = self.boot(ports)
        lost, kept = ports if first else reversed(ports)
        whole = always.Always(self, server, [kept])
        at_first = always.Always(self, server, [lost]).devices()[lost]
        self.copy(server)
        there = self.neutron.show_port_binding(lost, base.DESTINATION)
        self.neutron.delete_port(lost)
        then(server)
        self.ended(server, end.migration)
        whole.check(end)
        self.assert_gone(
            server, at_first, there['binding']['profile']['pci_slot']
        )
        shown = self.api.get_port_interfaces(server['id'])
        self.assertEqual([kept], [each['port_id'] for each in shown])

    def arrive(self, first: bool = False) -> None:
        self.delete(
            self.finish, always.End(base.DESTINATION, 'completed'), first
        )

    def come_back(self) -> None:
        self.delete(self.abort, always.End(base.SOURCE, 'cancelled'))

    def tell(self, port: dict[str, Any]) -> None:
        self.api.create_server_external_events(
            [
                {
                    'name': 'network-vif-deleted',
                    'server_uuid': port['device_id'],
                    'tag': port['id'],
                }
            ]
        )

    def test_the_server_arrives_without_it(self) -> None:
        self.arrive()

    def test_the_first_of_two(self) -> None:
        self.arrive(first=True)

    def test_and_nova_is_told(self) -> None:
        self.neutron.deleted = self.tell
        self.arrive()

    def test_the_server_comes_back_without_it(self) -> None:
        self.come_back()

    def test_the_server_comes_back_and_nova_is_told(self) -> None:
        self.neutron.deleted = self.tell
        self.come_back()


class EmptiedCacheTest(Meanwhile):
    """Nova's records lose the ports of a server while memory is copied."""

    def lose(
        self, then: Callable[[dict[str, Any]], None], end: always.End
    ) -> None:
        server, whole = self.prepare(
            [*self.ports.direct(2), *self.ports.ordinary()]
        )
        self.copy(server)
        cache = objects.InstanceInfoCache.get_by_instance_uuid(
            self.ctxt, server['id']
        )
        cache.network_info = network_model.NetworkInfo()
        cache.save()
        then(server)
        self.ended(server, end.migration)
        whole.check(end)

    def test_the_server_arrives_with_all(self) -> None:
        self.lose(self.finish, always.End(base.DESTINATION, 'completed'))

    def test_the_server_comes_back_with_all(self) -> None:
        self.lose(self.abort, always.End(base.SOURCE, 'cancelled'))


class StillPluggedTest(Meanwhile):
    """A guest keeps the device of a port that Neutron has deleted."""

    UNPLUG_TIMEOUT = 1.0

    def test_it_is_freed_when_the_guest_releases_it(self) -> None:
        kept, lost = self.ports.direct(2)
        server, _ = self.prepare([kept, lost])
        whole = always.Always(self, server, [kept])
        device = always.Always(self, server, [lost]).devices()[lost]
        self.double.settings.guest = guests.ByDevice(
            {device: guests.Never()}, guests.Together()
        )
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of(ours.OUR_UNPLUG), 'the request'
        )
        self.neutron.delete_port(lost)
        self.ended(server, 'failed')
        self.assertIn(device, self.held(server))

        self.release(server, device)

        self.wait_for(lambda: device not in self.held(server), 'its end')
        whole.check(always.End(base.SOURCE, 'failed'))

    def held(self, server: dict[str, Any]) -> list[str]:
        tracker = self.computes[base.SOURCE].manager.rt
        found = pci_tracker.held(tracker).get(server['id'], [])
        return [each.address for each in found]


class DetachedPortTest(Meanwhile):
    """A slow guest still has a port that is being detached."""

    def test_the_server_does_not_leave(self) -> None:
        kept, lost = self.ports.direct(2)
        server, _ = self.prepare([kept, lost])
        whole = always.Always(self, server, [kept])
        device = always.Always(self, server, [lost]).devices()[lost]
        self.double.settings.guest = guests.ByDevice(
            {device: guests.Never()}, guests.Together()
        )
        self.api.detach_interface(server['id'], lost)
        self.wait_for(lambda: self.double.calls.of(ours.NOVA_S), 'the detach')

        self.begin(server)
        self.wait_for(lambda: self.is_refused(server), 'the refusal')

        self.assertIn(
            lost, ours.shown(self, server, reasons.Reason.NOT_READY.value)
        )
        self.assertNotIn(base.DESTINATION, self.ports.bindings(lost))
        self.release(server, device)
        self.wait_for(lambda: not self.ports.bindings(lost), 'its end')
        self.double.settings.guest = guests.Together()
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_gone(server, device)

    def is_refused(self, server: dict[str, Any]) -> bool:
        """True when the migration has ended; the detach has not."""
        return (
            self.migrations(server) == ['error']
            and self._task_state(server) is None
        )


class LeftBindingTest(Meanwhile):
    """Bindings to the destination are left, as Neutron did not answer."""

    LEASE = 600.0

    def test_they_block_no_migration(self) -> None:
        ports = [*self.ports.ordinary(), *self.ports.direct(2)]
        server, whole = self.prepare(ports)

        def meet(point: processes.Point, after: bool) -> None:
            if point.name == 'delete_port_binding':
                raise neutron.ServiceUnavailable()

        self.processes.meet = meet
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(server, 'failed')
        self.double.faults.forget('migrateToURI3')
        self.processes.meet = lambda point, after: None
        for port in ports:
            self.assertIn(base.DESTINATION, self.ports.bindings(port))

        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
