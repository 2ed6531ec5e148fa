# SPDX-License-Identifier: Apache-2.0
"""Nova's hooks on the host that a server is to come to."""

from typing import Any

from nova.network import model as network_model
from oslo_log import log as logging
from oslo_utils import excutils

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import fitness
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import precheck
from nova_pt_migrate.compute.claims import providers
from nova_pt_migrate.compute.claims import replacements
from nova_pt_migrate.compute.hooks import base
from nova_pt_migrate.compute.hooks import destination_check
from nova_pt_migrate.compute.hooks import handshake
from nova_pt_migrate.compute.server import lost_ports
from nova_pt_migrate.compute.server import passage
from nova_pt_migrate.core import order

LOG = logging.getLogger(__name__)


class DestinationHooks(destination_check.DestinationCheckHooks):
    """What our driver adds to Nova's where a server is after it moved."""

    @base.operation('the preparation of a live migration')
    def pre_live_migration(
        self,
        context: Any,
        instance: Any,
        block_device_info: Any,
        network_info: Any,
        disk_info: Any,
        migrate_data: Any,
    ) -> Any:
        """Prepare as Nova does, and say that our driver waits here.

        If that fails the source rolls back, but does not tell this host
        where the instance path is shared. So the devices are taken down and
        freed here, and the bindings later, should Neutron not answer the
        source.

        :raises nova.exception.NovaException: Nova rolls back; a device that
            is not claimed any more is a reason, before anything is prepared
        """
        tracker = pci_tracker.tracker(self.virtapi)
        try:
            if tracker:
                precheck.refuse(
                    self._pt.tell(context, instance),
                    fitness.lost(tracker, instance, migrate_data),
                )
            self._pt.prepared.note(
                instance.uuid, our_vifs.destination_vifs(migrate_data)
            )
            data = super().pre_live_migration(
                context, instance, block_device_info, network_info,
                disk_info, migrate_data,
            )  # fmt: skip
        except Exception:
            with excutils.save_and_reraise_exception():
                if our_vifs.move_with(instance, migrate_data):
                    self._pt_free(context, instance)
                    self._pt.lease.note(instance.uuid)
        handshake.introduce(data, self._pt.protocols)
        if our_vifs.owned_migrate_vifs(data):
            self._pt.arrivals.expect(instance.uuid)
            ports = self._pt.paired_ports.of(
                instance, our_vifs.destination_vifs(data)
            )
            awaited = self._pt.servers.elsewhere(instance, ports)
            awaited.bring(order.Place.AWAITED)
            passage.expect_arrival(
                self._pt.owners,
                instance.uuid,
                self._pt.servers.switching(instance, ports, awaited.seen),
            )
        return data

    @base.operation('the end of a preparation')
    def rollback_live_migration_at_destination(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any,
        destroy_disks: bool = True,
        migrate_data: Any = None,
    ) -> None:
        """Clean up as Nova does, at the addresses that devices have here.

        Nova gives the VIFs as they are bound on the source, whose addresses
        are those of other servers' devices on this host.

        :raises Exception: as Nova's; the devices are taken down all the same
        """
        rollback = super().rollback_live_migration_at_destination
        vifs = our_vifs.as_plugged(
            network_info, self._pt.prepared.vifs(instance.uuid)
        )
        try:
            rollback(
                context, instance, vifs, block_device_info, destroy_disks,
                migrate_data,
            )  # fmt: skip
        finally:
            self._pt.prepared.take_down(instance.uuid)

    @base.operation('an arrival')
    def post_live_migration_at_destination(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_migration: bool = False,
        block_device_info: Any = None,
    ) -> None:
        """Plug our devices, or others instead, and do the rest as Nova does.

        Never raises for them: the guest runs here for good, and what Nova
        does next must be done.
        """
        self._pt.prepared.arrived(
            instance.uuid, our_vifs.addresses(network_info)
        )
        if our_vifs.owned(network_info):
            try:
                self._pt_arrive(context, instance, network_info)
            except Exception:
                LOG.exception(
                    'The devices of the server could not be plugged on its '
                    'arrival; it is tried again from time to time',
                    instance=instance,
                )  # fmt: skip
                self._pt.healer.note(instance.uuid)
        arrive = super().post_live_migration_at_destination
        rest = network_model.NetworkInfo(
            [vif for vif in network_info if not our_vifs.owned([vif])]
        )
        try:
            arrive(context, instance, rest, block_migration, block_device_info)
        except Exception:
            if not our_vifs.has_devices(instance, network_info):
                raise
            LOG.exception(
                'The server has arrived, and not all that Nova does then was '
                'done', instance=instance,
            )  # fmt: skip

    def _pt_arrive(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        providers.follow(self.virtapi._compute.rt, instance)
        self._pt.in_use.expect(
            instance.uuid,
            [
                vif['profile']['pci_slot']
                for vif in our_vifs.owned(network_info)
            ],
        )
        others = replacements.Replacements(
            context, instance, self.virtapi._compute, network_info
        )
        try:
            server = self._pt.servers.of(
                instance, self._pt.tell(context, instance), network_info
            )
            lacking = server.bring(
                order.Place.HOME,
                our_vifs.owned(network_info),
                others=others,
            )
            free = lost_ports.give_up(
                self.virtapi._compute,
                context,
                instance,
                self._pt.servers.domain(instance),
                network_info,
            )
            if (
                lacking
                or not free
                or self._pt.bonds.is_concerned(instance, server.ports)
            ):
                self._pt.healer.note(instance.uuid)
        finally:
            others.finish()
