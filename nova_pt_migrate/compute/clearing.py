# SPDX-License-Identifier: Apache-2.0
"""Have the destination freed at once after a migration that failed.

Nova tells the destination to clean up only where it has files to delete
there, so that with a shared instance path the devices claimed there stay
claimed (nova/compute/manager.py:9653, 10207). It always does so where
mediated devices are concerned; an empty set of them asks for the clean-up and
deletes nothing.
"""

from typing import Any

from nova.virt.libvirt import driver as libvirt_driver
from oslo_log import log as logging

LOG = logging.getLogger(__name__)


def request(instance: Any, guest: Any, migrate_data: Any) -> None:
    """Let Nova's rollback clear the destination as well.

    The clean-up destroys the server's domain at the destination. So it is
    asked for only while libvirt here says that the guest runs here and that
    no job of it is left; otherwise the destination keeps what it has.

    :param guest: nova.virt.libvirt.guest.Guest on the source
    :raises libvirt.libvirtError: libvirt does not answer; nothing was asked
    """
    libvirt = libvirt_driver.libvirt
    running = (
        libvirt.VIR_DOMAIN_JOB_BOUNDED,
        libvirt.VIR_DOMAIN_JOB_UNBOUNDED,
    )
    if not guest.is_active() or guest.get_job_info().type in running:
        LOG.warning(
            'It cannot be told where the guest runs, so the destination is '
            'not cleared; its claims end with the next update of its '
            'resources.', instance=instance,
        )  # fmt: skip
        return
    if 'target_mdevs' not in migrate_data:
        migrate_data.target_mdevs = {}
