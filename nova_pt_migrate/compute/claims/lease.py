# SPDX-License-Identifier: Apache-2.0
"""Free what this host keeps for servers that did not come.

Nova claims devices on the destination of a live migration, and where the
migration ends without a word to the destination (it was aborted while queued,
its preparation failed, a host was down) they would stay claimed. What is held
here for a server elsewhere is kept only as long as a migration may bring it.
"""

import functools
from typing import Any

from nova import exception
from nova import objects
from nova.objects import fields
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute import records
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import precheck
from nova_pt_migrate.compute.claims import prepared as prepared_vfs
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.host import links as host_links
from nova_pt_migrate.host import xml as domain_xml

LOG = logging.getLogger(__name__)


class Lease:
    """What is set aside on this host for servers that are not here.

    :param compute: nova.compute.manager.ComputeManager of this host
    :param links: of this host
    :param prepared: what was set up on its devices
    :param bound: UUIDs of servers that hold nothing here any more and may
        have bindings to this host, since an earlier nova-compute had claimed
        for them, or their preparation failed; those that are dealt with are
        taken out
    """

    def __init__(
        self,
        compute: Any,
        links: host_links.HostLinks,
        prepared: prepared_vfs.Prepared,
        bound: set[str],
    ) -> None:
        self._compute = compute
        self._links = links
        self._prepared = prepared
        self._bound = bound

    def check(self, context: Any) -> None:
        """Free what no migration needs any more.

        :raises nova.exception.NovaException: database, placement or Neutron
            do not answer; what is left is looked at next time
        """
        # Whoever makes a standby has set a device aside before, and gives it
        # up afterwards, so the standbys are looked for first.
        standbys = set(self._links.names(pairs.PREFIX))
        for server, devices in pci_tracker.held(self._compute.rt).items():
            instance = records.find(context, server)
            wanted = _standbys(instance)
            if instance is not None and instance.host == self._compute.host:
                self._take_over(context, instance, devices)
                standbys -= wanted
                continue
            # In this order: what is held brings the next look here.
            allocated = self._give_up_allocation(context, server, instance)
            self._unbind(context, instance)
            awaited = functools.partial(self._is_awaited, context, server)
            if (
                allocated
                or not self._prepared.take_down(server, awaited)
                or not pci_tracker.free(
                    context, self._compute.rt, server, unless=awaited
                )
            ):
                standbys -= wanted
        for server in sorted(self._prepared.servers()):
            self._take_down(context, server)
        for server in sorted(self._bound):
            if self._unbind(context, records.find(context, server)):
                self._bound.discard(server)
        self._forget(standbys)

    def _take_down(self, context: Any, server: str) -> None:
        """Undo what was set up for a server, whoever has freed its devices.

        Nova's tracker does so as it starts.
        """
        instance = records.find(context, server)
        if instance is not None and instance.host == self._compute.host:
            self._prepared.forget(server)
        else:
            self._prepared.take_down(
                server, functools.partial(self._is_awaited, context, server)
            )

    def _forget(self, standbys: set[str]) -> None:
        """Delete the standbys of servers that hold no device here.

        One that a guest has stays: it may be all that the guest has.
        """
        used = self._used() if standbys else set()
        for name in sorted(standbys & used):
            LOG.warning(
                'Standby %s belongs to no server of this host, and a guest '
                'here has it: it stays', name,
            )  # fmt: skip
        for name in sorted(standbys - used):
            try:
                self._links.forget(name)
            except errors.HostError as exc:
                LOG.error(
                    'Standby %s belongs to no server of this host, and '
                    'cannot be deleted: %s. It is tried again every '
                    'claim_lease_interval.', name, exc,
                )  # fmt: skip

    def _used(self) -> set[str]:
        """Return the names of the netdevs that active guests here have."""
        return {
            name
            for guest in self._compute.driver._host.list_guests()
            for name in domain_xml.targets(guest.get_xml_desc())
        }

    def _is_awaited(self, context: Any, server: str) -> bool:
        """True while the server may come, or is being made or moved here."""
        instance = records.find(context, server)
        if instance is None:
            return False
        if instance.host in (None, self._compute.host):
            return True
        if precheck.runs_here(self._compute.driver._host, instance):
            return True
        return any(
            self._may_come(context, instance, migration)
            for migration in objects.MigrationList.get_by_filters(
                context, {'instance_uuid': server}
            )
            if not records.is_over(migration, instance)
        )

    def _may_come(self, context: Any, instance: Any, migration: Any) -> bool:
        """Tell whether a migration that goes on needs devices here.

        The conductor names the destination of a live migration only when it
        has chosen among the hosts that have claimed.
        """
        if migration.migration_type != fields.MigrationType.LIVE_MIGRATION:
            return self._compute.host in (
                migration.source_compute,
                migration.dest_compute,
            )
        if migration.status == 'accepted':
            return True
        return bool(
            migration.dest_compute == self._compute.host
            and not self._is_lost(context, instance, migration)
        )

    def _is_lost(self, context: Any, instance: Any, migration: Any) -> bool:
        """True if the source was fenced and the guest has not arrived.

        The server is about to be evacuated, perhaps to this very host, where
        Nova would take what was claimed for the migration for its own.
        """
        return bool(
            _is_forced_down(context, migration.source_compute)
            and not self._compute.driver.instance_exists(instance)
        )

    def _take_over(
        self, context: Any, instance: Any, devices: list[Any]
    ) -> None:
        """Allocate what a server uses that came while nobody answered."""
        if instance.task_state is not None:
            return
        used = {
            vif['profile']['pci_slot']
            for vif in our_vifs.owned(instance.get_network_info())
        }
        if any(
            device.status == fields.PciDeviceStatus.CLAIMED
            and device.address in used
            for device in devices
        ):
            self._compute.rt.allocate_pci_devices_for_instance(
                context, instance
            )

    def _give_up_allocation(
        self, context: Any, server: str, instance: Any
    ) -> bool:
        """Remove this host from what placement has for the server.

        An evacuation keeps what a live migration had allocated. A server that
        has nothing else is given its own by its host, in place of this, and
        would lose it if both came at once; unless that host was fenced.

        :returns: True if placement still has this host for the server, whose
            devices are kept then so that it is looked at again
        """
        report = self._compute.reportclient
        held = report.get_allocs_for_consumer(context, server)['allocations']
        here = {node.uuid for node in self._compute.rt.compute_nodes.values()}
        left = here & set(held)
        if not set(held) - here and not _is_fenced(context, instance):
            return bool(left)
        for node in sorted(left):
            if self._is_awaited(context, server):
                return True
            report.remove_provider_tree_from_instance_allocation(
                context, server, node
            )
        return False

    def _unbind(self, context: Any, instance: Any) -> bool:
        """Delete the inactive bindings of a server's ports to this host.

        Nova does so when it frees the devices, in this order.

        :returns: False while the server may come
        """
        if instance is None or instance.host == self._compute.host:
            return True
        if self._is_awaited(context, instance.uuid):
            return False
        self._compute.network_api.setup_networks_on_host(
            context, instance, self._compute.host, teardown=True
        )
        return True


def _is_fenced(context: Any, instance: Any) -> bool:
    """True if the host of a server, which is not deleted, was fenced."""
    return bool(
        instance is not None
        and instance.host
        and _is_forced_down(context, instance.host)
    )


def _is_forced_down(context: Any, host: str) -> bool:
    """True, too, for a host that was taken out of the cloud."""
    try:
        service = objects.Service.get_by_compute_host(context, host)
    except exception.ComputeHostNotFound:
        return True
    return bool(service.forced_down)


def _standbys(instance: Any) -> set[str]:
    """Return the names that the netdevs of a server's standbys have."""
    if instance is None:
        return set()
    return {pairs.link_name(vif['id']) for vif in instance.get_network_info()}
