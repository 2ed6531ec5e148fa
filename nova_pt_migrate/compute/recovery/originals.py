# SPDX-License-Identifier: Apache-2.0
"""Keep what the source knows and the destination is about to overwrite.

The block device mappings of a migrating server name the destination's
attachments from its preparation on, and nova-compute on the source has the
old ones in its memory only. They are kept in the server's system metadata,
one value a volume; each look at the server before a migration replaces them.
Where a value was lost, Cinder is asked, and files are left where they are.
"""

from collections.abc import Mapping
from typing import Any

from nova import exception
from nova import objects
from nova.objects import migrate_data as migrate_data_obj
from oslo_serialization import jsonutils

from nova_pt_migrate.compute import system_metadata

STORAGE = 'storage'
"""The key of what both hosts found about the server's storage."""
SHARED = ('is_shared_instance_path', 'is_shared_block_storage')
FLAGS = (*SHARED, 'block_migration')
PATH = 'instance_relative_path'
ATTACHMENT = 'attachment_id'
HINTS = ('device_path', 'multipath_id')
"""What os-brick adds to ``connection_info['data']`` when it connects."""

Kept = dict[str, Any]


def keep(instance: Any, migrate_data: Any, block_device_info: Any) -> None:
    """Save the originals of a server that is about to migrate.

    :param instance: as it has come with the request; it is not saved
    :param migrate_data: what both hosts found about its storage
    :param block_device_info: Nova's, or None
    :raises nova.exception.NovaException: the database does not answer;
        nothing was changed but these keys
    """
    storage: Kept = {
        name: bool(getattr(migrate_data, name))
        for name in FLAGS
        if name in migrate_data
    }
    if PATH in migrate_data:
        storage[PATH] = migrate_data.instance_relative_path
    kept = {STORAGE: _short(storage)}
    mapping = (block_device_info or {}).get('block_device_mapping') or ()
    for volume in mapping:
        data = (volume['connection_info'] or {}).get('data', {})
        values = {ATTACHMENT: volume['attachment_id']}
        values |= {name: data.get(name) for name in HINTS}
        kept[volume.volume_id] = _short(values)
    system_metadata.replace(instance, system_metadata.ORIGINALS, kept)


def _short(values: Kept) -> str:
    """Return what fits into one value: all, or without the last of them."""
    left = {k: value for k, value in values.items() if value is not None}
    while len(found := str(jsonutils.dumps(left))) > system_metadata.LONGEST:
        left.popitem()
    return found


def _storage(originals: Mapping[str, str]) -> Kept:
    """Return what was found; an earlier driver had a key for each value."""
    if STORAGE in originals:
        return dict(jsonutils.loads(originals[STORAGE]))
    flags = {
        name: originals[name] == 'True' for name in FLAGS if name in originals
    }
    return flags | {PATH: originals.get(PATH, '')}


def _volume(originals: Mapping[str, str], volume: str) -> Kept:
    """Return what was kept of a volume; empty if that is lost."""
    if volume in originals:
        return dict(jsonutils.loads(originals[volume]))
    return {
        name: originals[f'{volume}_{name}']
        for name in (ATTACHMENT, *HINTS)
        if f'{volume}_{name}' in originals
    }


def block_device_mappings(
    context: Any,
    instance: Any,
    volume_api: Any,
    *,
    moved: bool = True,
    arrived: bool = False,
) -> Any:
    """Return the server's mappings as they were on the source, unsaved.

    A volume whose old attachment is gone already has no connection.

    :param moved: the destination was prepared, so that each volume has two
        attachments, and the mapping names the destination's. It is not known
        before, and mappings of which nothing was kept stay as they are.
    :param arrived: the guest is there for good, so that a mapping of which
        nothing is known but the destination's attachment is left out
    :raises nova.exception.NovaException: database or Cinder do not answer
    """
    originals = system_metadata.read(instance, system_metadata.ORIGINALS)
    found = []
    for bdm in objects.BlockDeviceMappingList.get_by_instance_uuid(
        context, instance.uuid
    ):
        known = not bdm.is_volume or bdm.attachment_id is None
        if not known:
            kept = _volume(originals, bdm.volume_id)
            if ATTACHMENT not in kept and moved:
                kept = _other(context, bdm, volume_api)
            known = ATTACHMENT in kept
            if known and kept[ATTACHMENT] != bdm.attachment_id:
                bdm.attachment_id = kept[ATTACHMENT]
                bdm.connection_info = _connection(
                    context, kept, bdm, volume_api
                )
        if known or not arrived:
            found.append(bdm)
    return objects.BlockDeviceMappingList(context, objects=found)


def _other(context: Any, bdm: Any, volume_api: Any) -> Kept:
    """Return the one attachment that a volume has beside the mapping's."""
    others = [
        attachment['id']
        for attachment in volume_api.attachment_get_all(
            context, instance_id=bdm.instance_uuid, volume_id=bdm.volume_id
        )
        if attachment['id'] != bdm.attachment_id
    ]
    return {ATTACHMENT: others[0]} if len(others) == 1 else {}


def restore_lost(
    context: Any, instance: Any, source_bdms: Any, volume_api: Any
) -> None:
    """Let mappings whose attachment is gone name that of the source again.

    Nova deletes the destination's attachment before it saves the mapping, and
    where it cannot save that, it never gets beyond the deletion again
    (nova/compute/manager.py:10077).

    :param source_bdms: the mappings as they were on the source
    :raises nova.exception.NovaException: database or Cinder do not answer
    """
    originals = {bdm.volume_id: bdm for bdm in source_bdms if bdm.is_volume}
    for bdm in objects.BlockDeviceMappingList.get_by_instance_uuid(
        context, instance.uuid
    ):
        original = originals.get(bdm.volume_id)
        if original is None or original.attachment_id == bdm.attachment_id:
            continue
        try:
            volume_api.attachment_get(context, bdm.attachment_id)
        except exception.VolumeAttachmentNotFound:
            bdm.attachment_id = original.attachment_id
            bdm.connection_info = original.connection_info
            bdm.save()


def _connection(
    context: Any, kept: Kept, bdm: Any, volume_api: Any
) -> str | None:
    try:
        found = volume_api.attachment_get(context, bdm.attachment_id)
    except exception.VolumeAttachmentNotFound:
        return None
    info = found['connection_info']
    info.setdefault('serial', bdm.volume_id)
    for name in HINTS:
        if name in kept:
            info.setdefault('data', {})[name] = kept[name]
    return str(jsonutils.dumps(info))


def migrate_data(instance: Any, migration: Any) -> Any:
    """Return Nova's data of a migration whose process is gone.

    :param migration: nova.objects.Migration
    """
    kept = _storage(system_metadata.read(instance, system_metadata.ORIGINALS))
    data = migrate_data_obj.LibvirtLiveMigrateData(migration=migration)
    for name in SHARED:
        # Files are left where they are if it was never looked.
        setattr(data, name, kept.get(name, True))
    # Nova falls back on where this host has its files.
    data.instance_relative_path = kept.get(PATH, '')
    data.block_migration = kept.get('block_migration', False)
    data.vifs = [
        migrate_data_obj.VIFMigrateData(
            port_id=vif['id'], host=migration.dest_compute, source_vif=vif
        )
        for vif in instance.get_network_info()
    ]
    return data
