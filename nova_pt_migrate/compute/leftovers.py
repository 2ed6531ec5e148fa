# SPDX-License-Identifier: Apache-2.0
"""Give up what a source still has of a server that has left it.

Each may be repeated, and raises what Nova, Neutron, Cinder, placement or the
database do; what was done until then stays done.
"""

from typing import Any

from nova import objects
from nova.objects import fields

from nova_pt_migrate.compute import originals


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


def free_allocation(compute: Any, context: Any, migration: Any) -> None:
    """Free what a migration that has ended well holds in placement.

    Nova does so too, and goes on where placement did not answer it.
    """
    report = compute.reportclient
    if report.get_allocations_for_consumer(context, migration.uuid):
        report.delete_allocation_for_instance(
            context, migration.uuid, consumer_type='migration', force=True
        )


def free_forgotten(compute: Any, context: Any) -> None:
    """Free what completed migrations from this host hold in placement.

    Nova calls a migration completed, and then frees what it holds; where
    nova-compute dies between the two, nothing else tells of it.
    """
    held: set[str] = set()
    for node in compute.rt.compute_nodes.values():
        found = compute.reportclient.get_allocations_for_resource_provider(
            context, node.uuid
        )
        held |= set(found.allocations)
    if not held:
        return
    for migration in objects.MigrationList.get_by_filters(
        context,
        {
            'uuid': sorted(held),
            'status': 'completed',
            'migration_type': fields.MigrationType.LIVE_MIGRATION,
        },
    ):
        free_allocation(compute, context, migration)


def is_evacuated(context: Any, migration: Any) -> bool:
    """True if the server was evacuated after it began to migrate."""
    return any(
        other.id > migration.id
        for other in objects.MigrationList.get_by_filters(
            context,
            {
                'instance_uuid': migration.instance_uuid,
                'migration_type': fields.MigrationType.EVACUATION,
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
