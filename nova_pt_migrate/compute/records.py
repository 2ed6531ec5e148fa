# SPDX-License-Identifier: Apache-2.0
"""Look up Nova's records of a server and of its migrations."""

from typing import Any

from nova import context as nova_context
from nova import exception
from nova import objects
from nova.compute import instance_actions
from nova.compute import task_states

ERROR = 'error'
OVER = {
    'cancelled',
    'completed',
    'confirmed',
    'done',
    ERROR,
    'failed',
    'reverted',
}
"""Status of migrations that nobody goes on with (db/main/api.py:3326)."""


def find(context: Any, server: str) -> Any:
    """Return a server as it is now; None if it is deleted.

    :param server: its UUID
    :returns: nova.objects.Instance, with its information cache
    :raises nova.exception.NovaException: the database does not answer
    """
    try:
        return objects.Instance.get_by_uuid(
            context, server, expected_attrs=['info_cache']
        )
    except exception.InstanceNotFound:
        return None


def is_over(migration: Any, instance: Any) -> bool:
    """Tell whether nobody goes on with a migration.

    Where a preparation failed Nova saves ``error`` before it rolls back, and
    gives the server its allocation only then; the task state tells when that
    is done (nova/compute/manager.py:9275, 10257).

    :param migration: nova.objects.Migration
    :param instance: nova.objects.Instance, its server
    """
    if migration.status == ERROR:
        return bool(instance.task_state != task_states.MIGRATING)
    return migration.status in OVER


def under_way(context: Any, instance: Any) -> list[Any]:
    """Return the migrations of a server that somebody goes on with.

    :param instance: nova.objects.Instance
    :returns: of nova.objects.Migration
    :raises nova.exception.NovaException: the database does not answer
    """
    return [
        migration
        for migration in objects.MigrationList.get_by_filters(
            context, {'instance_uuid': instance.uuid}
        )
        if not is_over(migration, instance)
    ]


def of_request(server: str) -> Any:
    """Return a context (nova.context) of the request to migrate a server.

    What is told in it stands with the request, though users have asked for
    other things meanwhile, to force it to complete for one.

    :param server: UUID
    :raises nova.exception.NovaException: the database does not answer
    """
    context = nova_context.get_admin_context()
    for action in objects.InstanceActionList.get_by_instance_uuid(
        context, server
    ):
        if action.action == instance_actions.LIVE_MIGRATION:
            context.request_id = action.request_id
            break
    return context
