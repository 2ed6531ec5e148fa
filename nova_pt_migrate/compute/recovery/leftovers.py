# SPDX-License-Identifier: Apache-2.0
"""Give up what a host still has of a server that is not there.

The source's own, and, by Nova's rollback, the destination's. Each may be
repeated, and raises what Nova, Neutron, Cinder, placement or the database do;
what was done until then stays done.
"""

from collections.abc import Callable
from typing import Any

from nova import exception
from nova import objects
from nova.objects import fields
from oslo_log import log as logging

from nova_pt_migrate.compute import local_domain
from nova_pt_migrate.compute import records
from nova_pt_migrate.compute.recovery import originals
from nova_pt_migrate.core import domain_words
from nova_pt_migrate.core import whereabouts

LOG = logging.getLogger(__name__)
Ask = Callable[[str, str], domain_words.Domain]
"""Gets a host's word on the domain of a server (its UUID)."""


def of_arrival(
    compute: Any, context: Any, instance: Any, migration: Any
) -> None:
    """The destination has the server, and its records; end the rest.

    :param compute: nova.compute.manager.ComputeManager of the source
    """
    compute.network_api.migrate_instance_start(context, instance, migration)
    compute.network_api.setup_networks_on_host(
        context, instance, compute.host, teardown=True
    )
    delete_old_attachments(compute, context, instance)
    compute.rt.free_pci_device_allocations_for_instance(context, instance)
    compute._delete_allocation_after_move(context, instance, migration)
    end(migration, 'completed')


def of_evacuation(
    compute: Any, context: Any, instance: Any, migration: Any
) -> None:
    """The server was evacuated; neither host of the migration has it so."""
    left = {migration.dest_compute, migration.source_compute}
    for host in left - {instance.host}:
        compute.network_api.setup_networks_on_host(
            context, instance, host, teardown=True
        )
    delete_old_attachments(compute, context, instance)
    compute._delete_allocation_after_move(context, instance, migration)
    end(migration, 'failed')


def of_deletion(compute: Any, context: Any, migration: Any) -> None:
    """The server was deleted; what the migration had allocated was not."""
    compute.reportclient.delete_allocation_for_instance(
        context, migration.uuid, consumer_type='migration', force=False
    )
    end(migration, 'failed')


def end_allocation(
    compute: Any, context: Any, instance: Any, migration: Any
) -> bool:
    """Free what an ended migration holds in placement, or give it back.

    While a server migrates its source is allocated to the migration. Nova
    does this too, and goes on where placement did not answer it.

    :returns: False if it is not given back yet, since something is under way
        that may move what the server has
    """
    report = compute.reportclient
    held = report.get_allocs_for_consumer(context, migration.uuid)
    if not held['allocations']:
        return True
    if migration.status == 'completed':
        report.delete_allocation_for_instance(
            context, migration.uuid, consumer_type='migration', force=True
        )
    elif instance.host == migration.source_compute:
        if instance.task_state is not None:
            return False
        report.move_allocations(context, migration.uuid, instance.uuid)
    return True


def end_forgotten(compute: Any, context: Any) -> bool:
    """End what migrations that have ended hold of this host in placement.

    Where nova-compute dies after it has saved a migration's last status,
    nothing else tells of it.

    :returns: False if it must be called again
    """
    held: set[str] = set()
    for node in compute.rt.compute_nodes.values():
        found = compute.reportclient.get_allocations_for_resource_provider(
            context, node.uuid
        )
        held |= set(found.allocations)
    if not held:
        return True
    ended = True
    for migration in objects.MigrationList.get_by_filters(
        context,
        {
            'uuid': sorted(held),
            'status': ['completed', 'failed', 'cancelled', records.ERROR],
            'migration_type': fields.MigrationType.LIVE_MIGRATION,
        },
    ):
        try:
            instance = objects.Instance.get_by_uuid(
                context, migration.instance_uuid
            )
        except exception.InstanceNotFound:
            of_deletion(compute, context, migration)
        else:
            if records.is_over(migration, instance):
                ended &= end_allocation(compute, context, instance, migration)
    return ended


def is_followed(context: Any, migration: Any, kind: str) -> bool:
    """True if the server has a later migration of a kind.

    :param kind: of nova.objects.fields.MigrationType
    """
    return any(
        other.id > migration.id
        for other in objects.MigrationList.get_by_filters(
            context,
            {
                'instance_uuid': migration.instance_uuid,
                'migration_type': kind,
            },
        )
    )


def end(migration: Any, status: str) -> None:
    """Save the migration's last status."""
    migration.status = status
    migration.save()


def delete_old_attachments(compute: Any, context: Any, instance: Any) -> None:
    """Delete the attachments of the source that are still there.

    Nova does so too, and goes on where Cinder did not answer it.
    """
    for bdm in originals.block_device_mappings(
        context, instance, compute.volume_api
    ):
        if bdm.obj_what_changed() and bdm.connection_info:
            compute.volume_api.attachment_delete(context, bdm.attachment_id)


def remove_from_source(host: Any, instance: Any) -> None:
    """End what is left here of a guest that is at the destination.

    libvirt does so where it sees the guest arrive. What it has left is older
    than the guest, and nobody may let it run.

    :param host: nova.virt.libvirt.host.Host on the source
    :raises nova.exception.NovaException: libvirt does not answer; it may be
        called again
    :raises libvirt.libvirtError: likewise
    """
    try:
        guest = host.get_guest(instance)
    except exception.InstanceNotFound:
        return
    LOG.info(
        'The guest is at the destination; what is left of it on the source '
        'is removed.', instance=instance,
    )  # fmt: skip
    if guest.is_active():
        guest.poweroff()
    guest.delete_configuration()


def clear_destination(
    host: Any, instance: Any, migrate_data: Any, ask: Ask
) -> None:
    """Let Nova's rollback clear the destination, or keep it from doing so.

    Nova tells the destination to clean up only where it has files to delete
    there, so that with a shared instance path the devices claimed there stay
    claimed (nova/compute/manager.py:9653, 10207). It always does so where
    mediated devices are concerned; an empty set of them asks for the clean-up
    and deletes nothing.

    The clean-up destroys the server's domain at the destination. So it is
    asked for only where the guest is known to be here, running or paused by
    its user; otherwise the destination keeps what it has until the lease of
    its claims is over.

    :param host: nova.virt.libvirt.host.Host on the source
    """
    found = whereabouts.find(
        local_domain.look(host, instance),
        lambda: ask(migrate_data.migration.dest_compute, instance.uuid),
    )
    if (
        found.guest is whereabouts.Guest.HERE
        and found.source in whereabouts.STAYS
    ):
        if 'target_mdevs' not in migrate_data:
            migrate_data.target_mdevs = {}
        return
    LOG.warning(
        'The guest does not run on the source, so the destination is not '
        'cleared: what it has claimed is freed by itself, files of the '
        'server that are left there are not.', instance=instance,
    )  # fmt: skip
    # What makes Nova clear it: _live_migration_cleanup_flags, manager.py:9619
    migrate_data.is_shared_instance_path = True
