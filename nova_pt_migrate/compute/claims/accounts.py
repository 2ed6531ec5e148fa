# SPDX-License-Identifier: Apache-2.0
"""Whose each PCI device of a server is: of a port, of the flavor, of nobody.

A device that Nova has set aside names its request, and a request its port or
its alias. What Nova knows and what the guest has can part: a port was deleted
in Neutron, the server's information cache was emptied, somebody plugged a
device by hand.
"""

from collections.abc import Collection
from collections.abc import Iterable
from typing import Any

from nova.objects import instance_pci_requests

from nova_pt_migrate.compute import our_vifs

ALIAS = instance_pci_requests.InstancePCIRequest.FLAVOR_ALIAS


def unaccounted(
    guest: Collection[str],
    instance: Any,
    network_info: Iterable[our_vifs.Vif],
    held: Iterable[Any],
) -> list[str]:
    """Say which devices a guest has of which nobody knows whose they are.

    :param guest: host PCI addresses of the devices of the live domain
    :param network_info: all VIFs of the server
    :param held: nova.objects.PciDevice that this host has set aside for it
    :returns: a sentence for each
    """
    known = our_vifs.addresses(network_info) | _of_flavor(instance, held)
    ports = _ports(instance)
    found = []
    for address in sorted(set(guest) - known):
        request = next(
            (d.request_id for d in held if d.address == address), None
        )
        whose = (
            f'port {ports[request]}, which the server\'s network information '
            f'lacks: wait until Nova has read it again'
            if request in ports
            else 'no port and no alias of the server: detach it (virsh '
            'detach-device)'
        )
        found.append(
            f'The guest of server {instance.uuid} has device {address} of '
            f'{whose}, and migrate again.'
        )
    return found


def strays(
    instance: Any, network_info: Iterable[our_vifs.Vif], held: Iterable[Any]
) -> list[Any]:
    """Return the devices that were set aside for ports that have left.

    A device of which it is not known for what it was set aside is none.

    :param network_info: all VIFs that the server has, by Neutron's word
    :param held: nova.objects.PciDevice that this host has set aside for it
    """
    vifs = list(network_info)
    there = {vif['id'] for vif in vifs}
    named = our_vifs.addresses(vifs)
    left = {
        request
        for request, port in _ports(instance).items()
        if port not in there
    }
    return [
        device
        for device in held
        if device.request_id in left and device.address not in named
    ]


def port_of(instance: Any, device: Any) -> str:
    """Return for which port a stray device was set aside."""
    return _ports(instance)[device.request_id]


def _of_flavor(instance: Any, held: Iterable[Any]) -> set[str]:
    aliases = {
        request.request_id
        for request in instance.pci_requests.requests
        if request.source == ALIAS
    }
    return {d.address for d in held if d.request_id in aliases}


def _ports(instance: Any) -> dict[str, str]:
    """Return the ports that devices were requested for, by request."""
    return {
        request.request_id: request.requester_id
        for request in instance.pci_requests.requests
        if request.source != ALIAS and request.requester_id
    }
