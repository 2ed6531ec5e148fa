# SPDX-License-Identifier: Apache-2.0
"""Whether this host can take a server that is on its way.

It must have the memory that VFIO pins, still hold what Nova has claimed for
the server, and be able to hand the claimed VFs to a guest. Each check returns
sentences, which begin with what to do: Nova shows users 255 characters.
"""

import os
from typing import Any

from nova.network import model as network_model

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.host import memory
from nova_pt_migrate.host import rehearsal

OVERHEAD_MIB = 256
"""What QEMU and the tables of CPU and IOMMU take besides."""


def short_of_memory(host: str, instance: Any) -> list[str]:
    """Say that this host lacks the memory that VFIO pins, if it does.

    VFIO pins all memory of a guest before its first device is there, also
    what the guest has never touched. Nova reckons with what flavors promise,
    and may promise more than there is (``ram_allocation_ratio``); what is
    free is asked by nobody else.

    Guests on huge pages are left to Nova, whose pages are counted. What other
    servers on their way to this host will take is not seen, nor is the limit
    of locked memory: libvirt raises it for a domain that gets a device with
    VFIO, to the guest's memory and 1 GiB (libvirt's
    qemuDomainGetMemLockLimitBytes).

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


def announce(migration: Any, host: str, node: str) -> None:
    """Name this host as where the migration leads.

    A periodic task of Nova frees what is claimed for servers that no
    migration under way brings to this host
    (nova/compute/resource_tracker.py:1083, nova/pci/manager.py:482), and gives
    it to the next server that wants a device. But the conductor names the
    destination only after the whole check has come back
    (nova/conductor/tasks/live_migrate.py:148), so it is named here, as soon as
    there are claims. What is claimed when this returns is not freed as long as
    the migration is under way; the task allocates it to the server. Where
    another host is chosen the conductor names that one.

    :param migration: nova.objects.Migration; None from a conductor that does
        not tell of it
    :param node: hypervisor_hostname of its compute node
    :raises nova.exception.NovaException: the database does not answer
    """
    if migration is not None:
        migration.dest_compute, migration.dest_node = host, node
        migration.save()


def lost(tracker: Any, instance: Any, migrate_data: Any) -> list[str]:
    """Say which devices that the server shall have here are not claimed.

    :param migrate_data: with the devices that Nova has claimed
    :returns: one sentence for all of them, or none
    """
    wanted = _wanted(migrate_data)
    if not wanted:
        # Nova holds the tracker's lock for long.
        return []
    here = {
        device.address
        for device in pci_tracker.held(tracker).get(instance.uuid, [])
    }
    gone = [
        f'{address} for {what}'
        for address, what in wanted.items()
        if address not in here
    ]
    if not gone:
        return []
    return [
        f'Migrate the server again: what host {tracker.host} had claimed for '
        f'it was freed meanwhile ({", ".join(gone)}), as when nova-compute '
        f'starts.'
    ]


def unfit(
    rehearser: rehearsal.Rehearsal, host: str, migrate_data: Any
) -> list[str]:
    """Say why no guest can get the VFs claimed for the ports of a server.

    They are tried before anything is changed elsewhere. The PFs of ports of
    VNIC type ``direct-physical`` are not: the host loses its netdev, and all
    that is set there, when one is taken from its driver.

    :param host: this one
    :param migrate_data: with devices that are held here for the server
    :returns: one sentence for all of them, or none
    """
    wanted = {
        vif.profile['pci_slot']: vif.port_id
        for vif in our_vifs.owned_migrate_vifs(migrate_data)
        if vif.source_vif['vnic_type'] == network_model.VNIC_TYPE_DIRECT
    }
    found = [
        f'{device} for port {wanted[device]}: {why}'
        for device, why in rehearser.run(wanted).items()
    ]
    if not found:
        return []
    return [
        f'Host {host} cannot hand devices to guests: repair that, or '
        f'choose another host. {"; ".join(found)}.'
    ]


def _on_huge_pages(instance: Any) -> bool:
    """True if the guest's memory is taken from pages that are set aside."""
    small = os.sysconf('SC_PAGE_SIZE') // 1024
    topology = instance.numa_topology
    return topology is not None and any(
        (cell.pagesize or small) > small for cell in topology.cells
    )


def _wanted(migrate_data: Any) -> dict[str, str]:
    """Return what each device is for, by its PCI address on this host."""
    wanted = {}
    if 'pci_dev_map_src_dst' in migrate_data:
        wanted = dict.fromkeys(
            migrate_data.pci_dev_map_src_dst.values(), 'the flavor'
        )
    for vif in our_vifs.owned_migrate_vifs(migrate_data):
        wanted[vif.profile['pci_slot']] = f'port {vif.port_id}'
    return wanted
