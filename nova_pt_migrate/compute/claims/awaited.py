# SPDX-License-Identifier: Apache-2.0
"""Whether a server that is not here may still come, by Nova's records."""

from typing import Any

from nova import exception
from nova import objects
from nova.objects import fields

from nova_pt_migrate.compute import records
from nova_pt_migrate.compute.claims import precheck


def is_awaited(compute: Any, context: Any, server: str) -> bool:
    """True while the server may come, or is being made or moved here.

    :param compute: nova.compute.manager.ComputeManager of this host
    :raises nova.exception.NovaException: the database does not answer
    """
    instance = records.find(context, server)
    return instance is not None and may_come(compute, context, instance)


def may_come(compute: Any, context: Any, instance: Any) -> bool:
    """As :func:`is_awaited`, of a server that was just looked up.

    :param instance: nova.objects.Instance
    :raises nova.exception.NovaException: the database does not answer
    """
    if instance.host in (None, compute.host):
        return True
    if precheck.runs_here(compute.driver._host, instance):
        return True
    return any(
        _may_come(compute, context, instance, migration)
        for migration in records.under_way(context, instance)
    )


def moves_elsewhere(compute: Any, context: Any, instance: Any) -> bool:
    """True while a live migration takes a server to another host.

    Neutron's record of where its ports go is of that one then.
    """
    return instance.task_state is not None and any(
        migration.migration_type == fields.MigrationType.LIVE_MIGRATION
        and migration.dest_compute != compute.host
        for migration in records.under_way(context, instance)
    )


def is_fenced(context: Any, instance: Any) -> bool:
    """True if the host of a server, which is not deleted, was fenced."""
    return bool(
        instance is not None
        and instance.host
        and _is_forced_down(context, instance.host)
    )


def _may_come(
    compute: Any, context: Any, instance: Any, migration: Any
) -> bool:
    """Tell whether a migration that goes on needs devices here.

    The conductor names the destination of a live migration only when it has
    chosen among the hosts that have claimed.
    """
    if migration.migration_type != fields.MigrationType.LIVE_MIGRATION:
        return compute.host in (
            migration.source_compute,
            migration.dest_compute,
        )
    if migration.status == 'accepted':
        return True
    return bool(
        migration.dest_compute == compute.host
        and not _is_lost(compute, context, instance, migration)
    )


def _is_lost(
    compute: Any, context: Any, instance: Any, migration: Any
) -> bool:
    """True if the source was fenced and the guest has not arrived.

    The server is about to be evacuated, perhaps to this very host, where Nova
    would take what was claimed for the migration for its own.
    """
    return bool(
        _is_forced_down(context, migration.source_compute)
        and not compute.driver.instance_exists(instance)
    )


def _is_forced_down(context: Any, host: str) -> bool:
    """True, too, for a host that was taken out of the cloud."""
    try:
        service = objects.Service.get_by_compute_host(context, host)
    except exception.ComputeHostNotFound:
        return True
    return bool(service.forced_down)
