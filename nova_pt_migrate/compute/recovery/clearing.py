# SPDX-License-Identifier: Apache-2.0
"""Have the destination freed at once after a migration that failed.

Nova tells the destination to clean up only where it has files to delete
there, so that with a shared instance path the devices claimed there stay
claimed (nova/compute/manager.py:9653, 10207). It always does so where
mediated devices are concerned; an empty set of them asks for the clean-up and
deletes nothing.
"""

from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute.recovery import whereabouts as hosts
from nova_pt_migrate.core import whereabouts

LOG = logging.getLogger(__name__)


def request(host: Any, instance: Any, migrate_data: Any) -> None:
    """Let Nova's rollback clear the destination, or keep it from doing so.

    The clean-up destroys the server's domain at the destination. So it is
    asked for only while libvirt here says that the guest runs here and that
    no job of it is left; otherwise the destination keeps what it has until
    the lease of its claims is over.

    :param host: nova.virt.libvirt.host.Host on the source
    """
    if hosts.on_source(host, instance) is whereabouts.Source.RUNNING:
        if 'target_mdevs' not in migrate_data:
            migrate_data.target_mdevs = {}
        return
    LOG.warning(
        'The guest does not run here, so the destination is not cleared; '
        'what it has claimed is freed by itself, files of the server that '
        'are left there are not.', instance=instance,
    )  # fmt: skip
    # What makes Nova clear it: _live_migration_cleanup_flags, manager.py:9619
    migrate_data.is_shared_instance_path = True
