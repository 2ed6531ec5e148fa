# SPDX-License-Identifier: Apache-2.0
"""What libvirt's error on a plug says about the next device.

Codes do not tell: nearly all are "internal error". Texts of libvirt 11.3 and
QEMU 10.0, from src/qemu/qemu_hotplug.c, src/conf/domain_addr.c,
src/util/virprocess.c and hw/vfio; the first was seen.
"""

ANY_DEVICE = (
    # no root port, or no address behind one
    'no more available pci',
    'attempted double use of pci address',
    # memory that cannot be pinned, and its limit
    'cannot allocate memory',
    'cannot limit locked memory',
    'cannot set locked memory',
    'rlimit_memlock',
    'failed to lock',
    # no VFIO on this host
    'host doesn\'t support passthrough',
    'host doesn\'t support vfio',
    'no iommu',
    'iommu is not enabled',
    # the domain or libvirt, not the device
    'cannot acquire state change lock',
    'domain is not running',
    'domain not found',
    'no domain with matching',
    'non unique alias',
    'monitor',
    'cannot recv data',
    'client socket is closed',
    'connection refused',
)
"""Parts of texts that are about the host or the guest, in lower case."""


def any_device_fails(text: str) -> bool:
    """True if another device would fail to plug in the same way.

    A text that is not known is taken for the device's own fault: to try
    another one a few times does no harm.
    """
    lower = text.lower()
    return any(part in lower for part in ANY_DEVICE)
