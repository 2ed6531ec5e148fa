# SPDX-License-Identifier: Apache-2.0
"""What Nova has claimed here for a server stays claimed until it comes.

A periodic task of Nova frees what is claimed for servers that no migration
under way brings to this host (nova/compute/resource_tracker.py:1083,
nova/pci/manager.py:482), and gives it to the next server that wants a device.
But the conductor names the destination in the migration only after the whole
check has come back (nova/conductor/tasks/live_migrate.py:148). So it is named
here, as soon as there are claims, and they are looked for again afterwards and
before anything is prepared.

The task allocates to the server what is claimed for it once the migration
names this host, as it does in every migration that it meets.
"""

from typing import Any

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import pci_tracker


def announce(migration: Any, host: str, node: str) -> None:
    """Name this host as where the migration leads.

    What is claimed when this returns is not freed as long as the migration is
    under way. Where another host is chosen the conductor names that one.

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

    What to do comes first: Nova shows users 255 characters.

    :param migrate_data: with the devices that Nova has claimed
    :returns: one sentence for all of them, or none
    """
    here = {
        device.address
        for device in pci_tracker.held(tracker).get(instance.uuid, [])
    }
    gone = [
        f'{address} for {what}'
        for address, what in _wanted(migrate_data).items()
        if address not in here
    ]
    if not gone:
        return []
    return [
        f'Migrate the server again: what host {tracker.host} had claimed for '
        f'it was freed meanwhile ({", ".join(gone)}), as when nova-compute '
        f'starts.'
    ]


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
