# SPDX-License-Identifier: Apache-2.0
"""Whether a host has the memory that VFIO pins for a guest that comes.

VFIO pins all memory of a guest before its first device is there, also what
the guest has never touched. Nova reckons with what flavors promise, and may
promise more than there is (``ram_allocation_ratio``); what is free is asked
by nobody else.

The limit of locked memory is libvirt's: it raises it for a domain that gets a
device with VFIO, to the guest's memory and 1 GiB (libvirt's
qemuDomainGetMemLockLimitBytes). Whether it may cannot be seen from here.
"""

import os
from typing import Any

from nova_pt_migrate.host import memory

OVERHEAD_MIB = 256
"""What QEMU and the tables of CPU and IOMMU take besides."""


def reasons(host: str, instance: Any) -> list[str]:
    """Say that this host lacks the memory, if it does.

    Guests on huge pages are left to Nova, whose pages are counted. What other
    servers on their way to this host will take is not seen.

    :raises errors.HostError: the kernel does not say
    """
    if _on_huge_pages(instance):
        return []
    needed = instance.flavor.memory_mb + OVERHEAD_MIB
    available = memory.available_mib()
    if available >= needed:
        return []
    return [
        f'Host {host} has {available} MiB of available memory, and server '
        f'{instance.uuid} needs {needed} at once, as its devices pin all of '
        f'it: free some there, or choose another host.'
    ]


def _on_huge_pages(instance: Any) -> bool:
    """True if the guest's memory is taken from pages that are set aside."""
    small = os.sysconf('SC_PAGE_SIZE') // 1024
    topology = instance.numa_topology
    return topology is not None and any(
        (cell.pagesize or small) > small for cell in topology.cells
    )
