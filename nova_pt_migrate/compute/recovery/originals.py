# SPDX-License-Identifier: Apache-2.0
"""Keep what the source knows and the destination is about to overwrite.

The block device mappings of a migrating server name the destination's
attachments from its preparation on, and nova-compute on the source has the
old ones in its memory only. They are kept in the server's system metadata,
one short value a key (Nova takes 255 characters); each look at the server
before a migration replaces them.
"""

from typing import Any

from nova import exception
from nova import objects
from nova.objects import migrate_data as migrate_data_obj
from oslo_serialization import jsonutils

from nova_pt_migrate.compute import system_metadata

STORAGE = ('is_shared_instance_path', 'is_shared_block_storage')
PATH = 'instance_relative_path'
HINTS = ('device_path', 'multipath_id')
"""What os-brick adds to ``connection_info['data']`` when it connects."""


def keep(instance: Any, migrate_data: Any, block_device_info: Any) -> None:
    """Save the originals of a server that is about to migrate.

    :param migrate_data: what both hosts found about its storage
    :param block_device_info: Nova's, or None
    :raises nova.exception.NovaException: the database does not answer
    """
    kept = {
        name: str(bool(getattr(migrate_data, name)))
        for name in (*STORAGE, 'block_migration')
        if name in migrate_data
    }
    if PATH in migrate_data:
        kept[PATH] = migrate_data.instance_relative_path[
            : system_metadata.LONGEST
        ]
    mapping = (block_device_info or {}).get('block_device_mapping') or ()
    for volume in mapping:
        info = volume['connection_info'] or {}
        values = {'attachment_id': volume['attachment_id']}
        values |= {name: info.get('data', {}).get(name) for name in HINTS}
        kept |= {
            f'{volume.volume_id}_{name}': value
            for name, value in values.items()
            if value and len(str(value)) <= system_metadata.LONGEST
        }
    system_metadata.replace(instance, system_metadata.ORIGINALS, kept)


def block_device_mappings(context: Any, instance: Any, volume_api: Any) -> Any:
    """Return the server's mappings as they were on the source, unsaved.

    A volume whose old attachment is gone already has no connection.

    :raises nova.exception.NovaException: database or Cinder do not answer
    """
    originals = system_metadata.read(instance, system_metadata.ORIGINALS)
    bdms = objects.BlockDeviceMappingList.get_by_instance_uuid(
        context, instance.uuid
    )
    for bdm in bdms:
        kept = originals.get(f'{bdm.volume_id}_attachment_id')
        if bdm.is_volume and kept and kept != bdm.attachment_id:
            bdm.attachment_id = kept
            bdm.connection_info = _connection(
                context, originals, bdm, volume_api
            )
    return bdms


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
    context: Any, originals: dict[str, str], bdm: Any, volume_api: Any
) -> str | None:
    try:
        found = volume_api.attachment_get(context, bdm.attachment_id)
    except exception.VolumeAttachmentNotFound:
        return None
    info = found['connection_info']
    info.setdefault('serial', bdm.volume_id)
    for name in HINTS:
        value = originals.get(f'{bdm.volume_id}_{name}')
        if value:
            info.setdefault('data', {})[name] = value
    return str(jsonutils.dumps(info))


def migrate_data(instance: Any, migration: Any) -> Any:
    """Return Nova's data of a migration whose process is gone.

    :param migration: nova.objects.Migration
    """
    kept = system_metadata.read(instance, system_metadata.ORIGINALS)
    data = migrate_data_obj.LibvirtLiveMigrateData(migration=migration)
    for name in STORAGE:
        # Files are left where they are if it was never looked.
        setattr(data, name, kept.get(name, 'True') == 'True')
    # Nova falls back on where this host has its files.
    data.instance_relative_path = kept.get(PATH, '')
    data.block_migration = kept.get('block_migration') == 'True'
    data.vifs = [
        migrate_data_obj.VIFMigrateData(
            port_id=vif['id'], host=migration.dest_compute, source_vif=vif
        )
        for vif in instance.get_network_info()
    ]
    return data
