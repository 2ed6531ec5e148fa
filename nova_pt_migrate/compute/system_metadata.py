# SPDX-License-Identifier: Apache-2.0
"""All that is kept in a server's system metadata, by the begin of its keys.

Nova takes values of 255 characters. The keys outlive versions of this driver
and are never renamed.

Nova cannot change one key: an instance that is saved writes all of them, and
deletes those that it does not know (nova/db/main/api.py,
_instance_metadata_update_in_place); it also writes other things that it has,
as the PCI requests that the conductor has filled in for another host. So no
instance is saved that travelled, or that is older than the moment: it is read
anew, changed, saved and read again. Whoever saves one of Nova's own may still
delete what is kept here, so whoever reads it must do without.
"""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from nova import context as nova_context
from nova import exception
from nova import objects
from oslo_concurrency import lockutils

ORIGINALS = 'pt_migrate_'
"""What the source knows and the destination overwrites."""
BONDS = 'pt_bond_'
"""Bonds that this driver has made in the guest, by MAC address."""
LONGEST = 255
ATTEMPTS = 4
"""How often it is saved where others save at the same time."""

Metadata = dict[str, str]


def read(instance: Any, prefix: str) -> Metadata:
    """Return what is kept below a prefix, by the rest of each key."""
    return {
        key.removeprefix(prefix): value
        for key, value in instance.system_metadata.items()
        if key.startswith(prefix)
    }


def replace(instance: Any, prefix: str, values: Mapping[str, str]) -> None:
    """Keep these values below a prefix and no others.

    :param instance: nova.objects.Instance; it is not saved, but knows the
        values afterwards
    :raises nova.exception.NovaException: the database does not answer, or
        others save all the time; what was kept may be there or not
    """
    _change(
        instance,
        lambda metadata: (
            {
                key: value
                for key, value in metadata.items()
                if not key.startswith(prefix)
            }
            | {prefix + name: value for name, value in values.items()}
        ),
    )


def put(instance: Any, prefix: str, name: str, value: str) -> None:
    """Keep a value below a prefix, beside the others; as :func:`replace`."""
    _change(instance, lambda metadata: metadata | {prefix + name: value})


def drop(instance: Any, prefix: str, name: str) -> None:
    """Keep a value no longer, but the others; as :func:`replace`."""
    _change(
        instance,
        lambda metadata: {
            key: value
            for key, value in metadata.items()
            if key != prefix + name
        },
    )


def _change(instance: Any, change: Callable[[Metadata], Metadata]) -> None:
    with lockutils.lock(f'pt_migrate-system-metadata-{instance.uuid}'):
        _save(instance.uuid, change)
    _tell(instance, change)


def _save(server: str, change: Callable[[Metadata], Metadata]) -> None:
    """Change it in the database, and see that it is changed."""
    context = nova_context.get_admin_context()
    for _ in range(ATTEMPTS):
        fresh = objects.Instance.get_by_uuid(
            context, server, expected_attrs=['system_metadata']
        )
        wanted = change(fresh.system_metadata)
        if fresh.system_metadata == wanted:
            return
        fresh.system_metadata = wanted
        try:
            fresh.save(expected_task_state=[fresh.task_state])
        except exception.UnexpectedTaskStateError:
            # Nova has begun or ended something since it was read.
            continue
    raise exception.InstanceUpdateConflict(
        instance_uuid=server,
        expected='keys of pt_migrate',
        actual='what others have saved meanwhile',
    )


def _tell(instance: Any, change: Callable[[Metadata], Metadata]) -> None:
    """Let a caller's instance know of a change that is saved already.

    If Nova saves it later, for another key, ours is not deleted; and it is
    not saved just because of ours.
    """
    if 'system_metadata' not in instance:
        return
    unsaved = 'system_metadata' in instance.obj_what_changed()
    instance.system_metadata = change(instance.system_metadata)
    if not unsaved:
        instance.obj_reset_changes(['system_metadata'])
