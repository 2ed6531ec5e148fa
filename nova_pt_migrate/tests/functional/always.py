# SPDX-License-Identifier: Apache-2.0
"""What must be true when an operation has ended, whatever went wrong in it.

One look at everything that knows of the server: the guest's two documents on
both hosts, Nova's API and database, Neutron, placement and Cinder. Devices
are told by their host and their PCI address there; equal hosts have equal
addresses.
"""

from collections.abc import Iterable
import dataclasses
from typing import Any

from nova import objects
from nova import test as nova_test

from nova_pt_migrate.compute.hooks import handshake
from nova_pt_migrate.core import reasons
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import carriers
from nova_pt_migrate.tests.functional import waiting

HOST = 'OS-EXT-SRV-ATTR:host'


@dataclasses.dataclass(frozen=True)
class End:
    """How an operation must have ended.

    :ivar host: where the server is
    :ivar migration: status of its last migration
    :ivar degraded: ports whose device is not in the guest; the persistent
        XML has it all the same, as the record of what the guest must have
    :ivar volumes: that the server has
    """

    host: str
    migration: str
    degraded: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()


class Always:
    """Asserts an :class:`End` for one server of a TwoComputes test.

    Made while the server is as its user wants it: the guest PCI addresses
    of that moment must not change.

    :param aliases: how many devices the flavor asks for
    :param own: how many standbys of ours the server has
    """

    def __init__(
        self,
        test: Any,
        server: dict[str, Any],
        ports: Iterable[str],
        aliases: int = 0,
        own: int = 0,
    ) -> None:
        self._test = test
        self._id = server['id']
        self._ports = tuple(ports)
        self._aliases = aliases
        self._own = own
        self._guest_addresses = self._addresses_by_port(server[HOST])

    def check(self, end: End) -> None:
        """Fail for the first thing that is not as it must be."""
        self._test._run_periodics()
        self._check_server(end)
        self._check_documents(end)
        links = getattr(self._test, 'links', {}).get(end.host)
        if links is not None:
            carriers.check(links, self._machine(end.host), self._equal)
        self._check_other_hosts(end)
        self._check_pci_devices(end)
        self._check_bindings(end)
        self._check_placement(end)
        self._check_volumes(end)
        self._check_reason(end)

    def devices(self) -> dict[str, str]:
        """Return the host PCI address that Nova gave each port, by port."""
        shown = {port: self._test.ports.show(port) for port in self._ports}
        return {
            port: values['binding:profile']['pci_slot']
            for port, values in shown.items()
            if 'pci_slot' in values.get('binding:profile', {})
        }

    def places(self) -> set[tuple[str, str]]:
        """Return the host and the PCI address of each device of a port."""
        return {
            (host, address)
            for port, address in self.devices().items()
            for host, status in self._test.ports.bindings(port).items()
            if status == 'ACTIVE'
        }

    def _check_server(self, end: End) -> None:
        server = self._test.api.get_server(self._id)
        last = max(self._migrations(), key=lambda each: each['id'])
        self._equal(
            ('ACTIVE', None, end.host, end.migration),
            (
                server['status'],
                server['OS-EXT-STS:task_state'],
                server[HOST],
                last['status'],
            ),
            'status, task state, host, migration',
        )

    def _check_documents(self, end: End) -> None:
        machine = self._machine(end.host)
        aliases = self._alias_devices(end.host)
        for name, document, lacking in (
            ('live', machine.live, end.degraded),
            ('persistent', machine.persistent, ()),
        ):
            self._equal(
                {
                    self.devices()[port]: address
                    for port, address in self._guest_addresses.items()
                    if port not in lacking
                },
                {
                    documents.host_address(e): documents.guest_address(e)
                    for e in documents.passthrough(document)
                    if documents.host_address(e) not in aliases
                },
                f'devices in the {name} XML',
            )
            self._equal(
                aliases,
                aliases.intersection(
                    str(documents.host_address(e))
                    for e in documents.passthrough(document)
                ),
                f'devices of the flavor in the {name} XML',
            )
            self._equal(
                len(self._ports) - len(self.devices()) + self._own,
                sum(
                    e.tag == 'interface' and not documents.host_address(e)
                    for e in documents.elements(document)
                ),
                f'ordinary interfaces in the {name} XML',
            )

    def _check_other_hosts(self, end: End) -> None:
        others = [
            name
            for name, hypervisor in self._test.double.hypervisors.items()
            if name != end.host and self._id in hypervisor.machines
        ]
        self._equal([], others, 'other hosts that know the domain')

    def _check_pci_devices(self, end: End) -> None:
        for name in self._test.computes:
            node = objects.ComputeNode.get_by_nodename(self._test.ctxt, name)
            known = objects.PciDeviceList.get_by_compute_node(
                self._test.ctxt, node.id
            )
            self._equal(
                {
                    address: 'allocated'
                    for address in (
                        *self.devices().values(),
                        *self._alias_devices(name),
                    )
                    if name == end.host
                },
                {
                    device.address: device.status
                    for device in known
                    if device.instance_uuid == self._id
                },
                f'PCI devices of the server on {name}',
            )

    def _alias_devices(self, host: str) -> set[str]:
        """Return the devices that the server has on a host by its flavor."""
        node = objects.ComputeNode.get_by_nodename(self._test.ctxt, host)
        found = {
            device.address
            for device in objects.PciDeviceList.get_by_compute_node(
                self._test.ctxt, node.id
            )
            if device.instance_uuid == self._id
            and device.address not in self.devices().values()
        }
        if host == self._test.api.get_server(self._id)[HOST]:
            self._equal(self._aliases, len(found), 'devices of the flavor')
        return found

    def _check_bindings(self, end: End) -> None:
        for port in self._ports:
            self._equal(
                {end.host: 'ACTIVE'},
                self._test.ports.bindings(port),
                f'bindings of port {port}',
            )
            self._equal(
                False,
                handshake.KEY in str(self._test.ports.show(port)),
                f'words between the drivers in port {port}',
            )

    def _check_placement(self, end: End) -> None:
        tree = {
            provider['uuid']
            for provider in self._test._get_all_rps_in_a_tree(
                self._test.compute_rp_uuids[end.host]
            )
        }
        held = set(self._test._get_allocations_by_server_uuid(self._id))
        self._test.assertTrue(held, 'the server holds no allocation')
        self._equal(set(), held - tree, 'allocations elsewhere')
        for migration in self._migrations():
            self._equal(
                {},
                self._test._get_allocations_by_server_uuid(migration['uuid']),
                'allocations of the migration',
            )

    def _check_volumes(self, end: End) -> None:
        mappings = objects.BlockDeviceMappingList.get_by_instance_uuid(
            self._test.ctxt, self._id
        )
        attached = {m.volume_id: m for m in mappings if m.volume_id}
        self._equal(set(end.volumes), set(attached), 'volumes')
        for volume, mapping in attached.items():
            attachments = self._test.cinder.volume_to_attachment[volume]
            self._equal(
                {mapping.attachment_id: end.host},
                {
                    key: (value.get('connector') or {}).get('host')
                    for key, value in attachments.items()
                },
                f'attachments of volume {volume}',
            )

    def _check_reason(self, end: End) -> None:
        """What was begun and did not go well has a code that is known."""
        for host, compute in self._test.computes.items():
            services = getattr(compute.driver, '_pt', None)
            if services and self._test.processes.is_alive(host):
                told = services.stories.wait(waiting.PATIENCE)
                self._test.assertTrue(told, host)
        actions = objects.InstanceActionList.get_by_instance_uuid(
            self._test.ctxt, self._id
        )
        last = next((a for a in actions if a.action == 'live-migration'), None)
        events = (
            {
                event.event: event
                for event in objects.InstanceActionEventList.get_by_action(
                    self._test.ctxt, last.id
                )
            }
            if last
            else {}
        )
        went_wrong = end.migration in ('failed', 'cancelled') or end.degraded
        if not went_wrong or 'pt_migrate_unplug' not in events:
            return
        codes = {reason.value for reason in reasons.Reason} & set(events)
        self._test.assertTrue(codes, f'no reason among {sorted(events)}')
        for code in codes:
            self._test.assertEqual('Error', events[code].result, code)
            self._test.assertTrue(events[code].details, code)

    def _migrations(self) -> list[dict[str, Any]]:
        return list(
            self._test.api.api_get(
                f'/os-migrations?instance_uuid={self._id}'
            ).body['migrations']
        )

    def _addresses_by_port(self, host: str) -> dict[str, str | None]:
        found = {
            documents.host_address(e): documents.guest_address(e)
            for e in documents.passthrough(self._machine(host).live)
        }
        return {port: found[slot] for port, slot in self.devices().items()}

    def _machine(self, host: str) -> Any:
        return self._test.double.hypervisors[host].find(self._id)

    def _equal(self, wanted: Any, found: Any, what: str) -> None:
        if wanted != found:
            raise nova_test.TestCase.failureException(
                f'{what}: must be {wanted}, is {found}'
            )
