# SPDX-License-Identifier: Apache-2.0
"""What Nova holds in memory while a server migrates, and nowhere else."""

import dataclasses
from typing import Any

from nova_pt_migrate.compute.recovery import originals


@dataclasses.dataclass(frozen=True)
class Known:
    """What is handed to Nova as a live migration ends.

    :ivar context: of the user's request
    :ivar migrate_data: nova.objects.LibvirtLiveMigrateData
    :ivar source_bdms: its block device mappings as on the source
    """

    context: Any
    migrate_data: Any
    source_bdms: Any

    @property
    def has_volumes(self) -> bool:
        """Tell whether the server has volumes."""
        return any(mapping.is_volume for mapping in self.source_bdms)


def reconstructed(
    context: Any,
    instance: Any,
    migration: Any,
    volume_api: Any,
    arrived: bool = False,
) -> Known:
    """Return it by what is kept elsewhere, as its process is gone.

    :param migration: nova.objects.Migration
    :param arrived: the guest is at the destination for good
    :raises nova.exception.NovaException: database or Cinder do not answer
    """
    return Known(
        context,
        originals.migrate_data(instance, migration),
        originals.block_device_mappings(
            context,
            instance,
            volume_api,
            moved=migration.status.startswith(('running', 'completed')),
            arrived=arrived,
        ),
    )
