# SPDX-License-Identifier: Apache-2.0
"""Nova's hooks that ask a host whether a server may come."""

import sys
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import fitness
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import precheck
from nova_pt_migrate.compute.hooks import base
from nova_pt_migrate.compute.hooks import handshake

LOG = logging.getLogger(__name__)


class DestinationCheckHooks(base.Hooks):
    """What our driver adds to Nova's check of a host for a server."""

    def check_can_live_migrate_destination(
        self,
        context: Any,
        instance: Any,
        src_compute_info: Any,
        dst_compute_info: Any,
        block_migration: bool = False,
        disk_over_commit: bool = False,
    ) -> Any:
        """Refuse what has no devices or memory here, before Nova claims.

        Nova's claim would fail with an exception that turns the server into
        ERROR and lets no other host be tried.

        :raises nova.exception.MigrationPreCheckError: nothing was changed;
            Nova tries the next host
        """
        check = super().check_can_live_migrate_destination
        tracker = pci_tracker.tracker(self.virtapi)
        self._pt.checking.check = None
        vifs = instance.get_network_info()
        if not tracker or not our_vifs.has_devices(instance, vifs):
            return check(
                context, instance, src_compute_info, dst_compute_info,
                block_migration, disk_over_commit,
            )  # fmt: skip
        bound = self._pt.lease.may_have(instance.uuid)
        self._pt.lease.note(instance.uuid)
        with precheck.refusing(tracker.host):
            told = self._pt.tell(context, instance)
            begun = precheck.begin(
                told, self._host, context, instance, tracker,
                self._pt.prepared, bound,
            )  # fmt: skip
            if our_vifs.pins_memory(instance, vifs):
                precheck.refuse(
                    told, fitness.short_of_memory(tracker.host, instance)
                )
            data = check(
                context, instance, src_compute_info, dst_compute_info,
                block_migration, disk_over_commit,
            )  # fmt: skip
            handshake.introduce(data, self._pt.protocols)
        self._pt.checking.check = begun
        return data

    def check_source_migrate_data_at_dest(
        self,
        ctxt: Any,
        instance: Any,
        migrate_data: Any,
        migration: Any,
        limits: Any,
        allocs: Any,
    ) -> Any:
        """Check as Nova does, with all claims known to its tracker.

        Nova claims for the flavor and then for the ports, and the second
        claim makes the tracker forget the first. The devices are known here,
        and nothing has been changed elsewhere: they are held, and rehearsed.

        :raises nova.exception.MigrationPreCheckError: Nova tries the next
            host
        """
        tracker = pci_tracker.tracker(self.virtapi)
        if tracker and our_vifs.has_devices(
            instance, instance.get_network_info()
        ):
            pci_tracker.remember(tracker, instance.uuid)
            fitness.announce(
                migration, tracker.host, self.get_available_nodes()[0]
            )
            precheck.refuse(
                self._pt.tell(ctxt, instance),
                fitness.lost(tracker, instance, migrate_data)
                or fitness.unfit(
                    self._pt.rehearsal, tracker.host, migrate_data
                ),
            )
        handshake.forget(migrate_data)
        return super().check_source_migrate_data_at_dest(
            ctxt, instance, migrate_data, migration, limits, allocs
        )

    def cleanup_live_migration_destination_check(
        self, context: Any, dest_check_data: Any
    ) -> None:
        """Clean up after the check, and free its claims if it has failed.

        Nova calls this whether it has failed or not, with the exception on
        its way (nova/compute/manager.py:8910), for instance of a claim that
        another server was faster for. It is turned into a refusal.

        :raises nova.exception.MigrationPreCheckError: Nova tries the next
            host
        """
        super().cleanup_live_migration_destination_check(
            context, dest_check_data
        )
        check = getattr(self._pt.checking, 'check', None)
        self._pt.checking.check = None
        failed = sys.exc_info()[1]
        if check is None or not isinstance(failed, Exception):
            return
        self._pt_free(context, check.instance)
        refusal = precheck.as_refusal(check.host, failed, check.requests)
        if refusal is not failed:
            LOG.error(
                'The check of host %s for a live migration has failed, and '
                'the host is refused', check.host, exc_info=failed,
                instance=check.instance,
            )  # fmt: skip
            raise refusal from failed

    def _pt_free(self, context: Any, instance: Any) -> None:
        """Take down and free what is held for a server that does not come.

        Never raises: another exception is on its way, and the lease frees
        what is left.
        """
        try:
            if not precheck.runs_here(
                self._host, instance
            ) and self._pt.prepared.take_down(instance.uuid):
                pci_tracker.free(
                    context, pci_tracker.tracker(self.virtapi), instance.uuid
                )
        except Exception:
            LOG.exception(
                'Devices that were claimed here for the server could not be '
                'freed; it is tried again every claim_lease_interval',
                instance=instance,
            )  # fmt: skip
