# SPDX-License-Identifier: Apache-2.0
"""Nova's hooks on the host that a server leaves."""

import functools
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.hooks import base
from nova_pt_migrate.compute.hooks import handshake
from nova_pt_migrate.compute.hooks import wide_guest
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.recovery import endings
from nova_pt_migrate.compute.recovery import leftovers
from nova_pt_migrate.compute.recovery import undecided
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import lost_ports
from nova_pt_migrate.compute.server import missing
from nova_pt_migrate.compute.server import passage
from nova_pt_migrate.core import order
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)
MIGRATION = 'a live migration'


class SourceHooks(base.Hooks):
    """What our driver adds to Nova's where a server is before it moves."""

    def process_instances_at_startup(
        self, context: Any, instances: Any
    ) -> Any:
        """Keep from Nova, until they are settled, servers that migrated.

        The others are looked after: their devices may have been lost while
        nova-compute was down.
        """
        for instance in instances:
            self._pt.prepared.forget(instance.uuid)
            vifs = our_vifs.owned(instance.get_network_info())
            if vifs:
                self._pt.healer.note(instance.uuid)
                self._pt.in_use.expect(
                    instance.uuid, [vif['profile']['pci_slot'] for vif in vifs]
                )
        self._pt.lease.note_standbys(instances)
        left = super().process_instances_at_startup(context, instances)
        if pci_tracker.tracker(self.virtapi) is None:
            return left
        return self._pt.interrupted.withhold(context, left)

    def live_migration_abort(self, instance: Any) -> None:
        """Abort while devices are being unplugged, or libvirt's job after.

        Between libvirt's being told to migrate and its having a job there is
        a moment in which nothing can be aborted; it is waited for.

        :raises libvirt.libvirtError: libvirt has no job to abort
        """
        abort = super().live_migration_abort
        departure = self._pt.departures.under_way(instance.uuid)
        if departure is None:
            abort(instance)
        elif departure.abort():
            self._pt.events.wake(instance.uuid)
        else:
            departure.abort_job(lambda: abort(instance))

    @base.operation(MIGRATION)
    def _live_migration(
        self,
        context: Any,
        instance: Any,
        dest: str,
        post_method: Any,
        recover_method: Any,
        block_migration: bool,
        migrate_data: Any,
    ) -> None:
        """Migrate, end it as the guest's whereabouts ask for, never raise.

        What is raised here makes Nova set the server to ERROR, wherever its
        guest runs (manager.py:9453).
        """
        migrate = super()._live_migration
        if not our_vifs.move_with(instance, migrate_data):
            migrate(
                context, instance, dest, post_method, recover_method,
                block_migration, migrate_data,
            )  # fmt: skip
            return
        with self._pt.departures.begin(instance.uuid) as departure:
            ends = endings.Endings(
                self._pt.settlements, self._pt.worker, departure, post_method
            )
            try:
                migrate(
                    context, instance, dest, ends.post, ends.recover,
                    block_migration, migrate_data,
                )  # fmt: skip
            except Exception as exc:
                LOG.warning(
                    'Nova cannot watch the live migration any more: %s. It is '
                    'ended where the guest is found.', exc, instance=instance,
                )  # fmt: skip
            if not ends.begun:
                ends.given_up(context, instance, migrate_data)
        self._pt.lease.note(instance.uuid)
        if departure.left_late:
            self._pt.healer.check_soon(instance.uuid)

    def _live_migration_operation(
        self,
        context: Any,
        instance: Any,
        dest: str,
        block_migration: bool,
        migrate_data: Any,
        guest: Any,
        device_names: list[str],
    ) -> None:
        """Migrate with a persistent XML that holds the devices.

        Nova's monitor sees from the domain how the migration ended. What Nova
        raises here afterwards, and has logged, would only turn a server that
        is whole again into ERROR (driver.py:11942), so it ends here.
        """
        migrate = super()._live_migration_operation
        if not our_vifs.move_with(instance, migrate_data):
            migrate(
                context, instance, dest, block_migration, migrate_data,
                guest, device_names,
            )  # fmt: skip
            return
        our_vifs.put_devices_first(migrate_data)
        told = self._pt.tell(context, instance)
        try:
            departure = self._pt.departures.of(instance.uuid)
            departure.story = told
            departure.heard = handshake.is_told(migrate_data)
            with departure.running():
                migrate(
                    context, instance, dest, block_migration, migrate_data,
                    wide_guest.guest(
                        guest,
                        wide_guest.elements(
                            self._pt.servers.domain(instance).observe(),
                            self._pt.servers.xml_of(instance),
                            handshake.arriving(migrate_data),
                        ),
                        functools.partial(
                            self._pt_moving, departure, migrate_data.migration
                        ),
                    ),
                    device_names,
                )  # fmt: skip
        except Exception as exc:
            LOG.warning(
                'The live migration ends here, and the server stays where '
                'its guest runs: %s', exc, instance=instance,
            )  # fmt: skip
            if not told.reasoned:
                told.tell(reasons.Failure(reasons.Reason.HOST_ERROR, str(exc)))
            undecided.note_broken(told, self._host, instance)

    def _detach_direct_passthrough_vifs(
        self, context: Any, migrate_data: Any, instance: Any
    ) -> None:
        """Unplug all our devices together; leave the others to Nova.

        Whoever is to be told of it has been told before, in good time.

        :raises errors.NotUnplugged: Nova rolls back, which brings the server
            home
        """
        vifs = our_vifs.source_vifs(migrate_data)
        if our_vifs.owned(vifs):
            departure = self._pt.departures.of(instance.uuid)
            migration = migrate_data.migration.uuid
            server = self._pt.servers.of(instance, departure.story, vifs)
            server.bring(
                order.Place.LEAVING,
                our_vifs.owned(vifs),
                migration=migration,
                departure=departure,
            )
            told = migrate_data.migration.dest_compute
            self._pt_expect_stop(
                instance, server, told if departure.heard else None
            )
        for vif in our_vifs.left_to_nova(vifs):
            self.detach_interface(context, instance, vif)

    def _pt_expect_stop(
        self, instance: Any, server: Any, destination: str | None
    ) -> None:
        """Give the guest's address up as soon as QEMU has stopped it.

        :param server: as :meth:`bringing.Server` has brought it to leave
        :param destination: the host that is told of it, if it listens
        """
        if any(paired.standby for paired in server.ports):
            passage.expect_departure(
                self._pt.owners,
                instance.uuid,
                MIGRATION,
                self._pt.servers.switching(
                    instance, server.ports, server.seen
                ),
                functools.partial(
                    self._pt.peers.tell, destination, instance.uuid
                )
                if destination
                else lambda stopped: None,
            )

    def post_live_migration(
        self,
        context: Any,
        instance: Any,
        block_device_info: Any,
        migrate_data: Any = None,
    ) -> None:
        """End as Nova does; first of all nobody takes the guest's frames."""
        vifs = our_vifs.source_vifs(migrate_data)
        if our_vifs.owned(vifs):
            self._pt_silence(instance, vifs)
        super().post_live_migration(
            context, instance, block_device_info, migrate_data
        )

    @base.operation('the end of a live migration')
    def _pt_silence(self, instance: Any, vifs: list[our_vifs.Vif]) -> None:
        ports = self._pt.paired_ports.of(instance, vifs)
        self._pt.servers.elsewhere(instance, ports).bring(order.Place.AWAY)

    def rollback_live_migration_at_source(
        self, context: Any, instance: Any, migrate_data: Any
    ) -> None:
        """Bring the server home, and have the destination freed."""
        super().rollback_live_migration_at_source(
            context, instance, migrate_data
        )
        if our_vifs.move_with(instance, migrate_data):
            leftovers.clear_destination(
                self._host, instance, migrate_data, self._pt.peers.domain
            )

    @base.operation('the way home')
    def _reattach_instance_vifs(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        """Bring the server home: after arrival, and after a failure.

        What belongs to ports that it has lost meanwhile is given up.
        """
        vifs = our_vifs.owned(network_info)
        if not vifs and not our_vifs.left_to_nova(network_info):
            super()._reattach_instance_vifs(context, instance, network_info)
            return
        if vifs:
            compute = self.virtapi._compute
            gone = lost_ports.lost(compute.network_api, instance, vifs)
            left = [vif for vif in network_info if vif['id'] not in gone]
            vifs = our_vifs.owned(left)
            home = not self._pt.servers.of(
                instance, self._pt.tell(context, instance), network_info
            ).bring(order.Place.HOME, vifs)
            free = lost_ports.give_up(
                compute,
                context,
                instance,
                self._pt.servers.domain(instance),
                left,
            )
            if not (home and free):
                self._pt.healer.note(instance.uuid)
        missing.attach_others(
            self, self._pt.servers, context, instance, network_info
        )

    def _pt_moving(
        self, departure: departures.Departure, migration: Any
    ) -> Any:
        departure.begin_move()
        return phases.phase(
            phase_names.PhaseName.MOVE,
            migration.instance_uuid,
            migration.uuid,
            reporter=departure.story,
            escaped=lambda: (
                reasons.Reason.ABORTED
                if departure.aborted
                else reasons.Reason.MOVE_FAILED
            ),
        )
