# SPDX-License-Identifier: Apache-2.0
"""Which Neutron ports have devices of ours, and how they are described.

A VIF is Nova's view of a port (nova.network.model.VIF); a device of ours is
the VF of a port of VNIC type ``direct`` or the PF of one of type
``direct-physical``. That of a port with hardware offload is left to Nova: what
is at its other end, a representor in a bridge, is of another kind.
"""

from collections.abc import Callable
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nova import context as nova_context
from nova.network import model as network_model
from nova.objects import instance_pci_requests
from nova.objects import migrate_data as migrate_data_obj

from nova_pt_migrate.core import model

InstancePCIRequest = instance_pci_requests.InstancePCIRequest
Vif = Any
XmlOf = Callable[[Vif], str]

VIF_TYPES = {
    network_model.VNIC_TYPE_DIRECT: network_model.VIF_TYPE_HW_VEB,
    network_model.VNIC_TYPE_DIRECT_PHYSICAL: network_model.VIF_TYPE_HOSTDEV,
}
"""The VNIC types of our devices, and the one VIF type known for each."""


def admin_context() -> Any:
    """Return a context for what no user has asked for."""
    return nova_context.get_admin_context()


def owned(vifs: Iterable[Vif]) -> list[Vif]:
    """Return the VIFs whose device this driver unplugs and plugs."""
    return [
        vif
        for vif in vifs
        if isinstance(vif, Mapping)
        and vif.get('vnic_type') in VIF_TYPES
        and not _is_offloaded(vif)
    ]


def offloaded(vifs: Iterable[Vif]) -> list[Vif]:
    """Return the VIFs that would be ours, but for their hardware offload."""
    return [
        vif
        for vif in vifs
        if vif['vnic_type'] in VIF_TYPES and _is_offloaded(vif)
    ]


def may_be_owned(instance: Any, network_info: Any) -> bool:
    """Tell whether a server may have devices of ours, without waiting.

    Each port with a device has a request for one, made before its server is
    (nova/network/neutron.py, create_resource_requests). It does not tell the
    VNIC type, so that a server with macvtap ports may have some as well.

    :param instance: of a server that is built
    :param network_info: its VIFs, which Nova may still wait for; or None
    """
    if not isinstance(network_info, network_model.NetworkInfoAsyncWrapper):
        return bool(network_info)
    return any(
        request.source == InstancePCIRequest.NEUTRON_PORT
        for request in instance.pci_requests.requests
    )


def has_devices(instance: Any, vifs: Iterable[Vif] = ()) -> bool:
    """Tell whether a server has PCI devices, ours or others.

    Asks nobody: what Nova sends with a live migration is complete, as the
    conductor has looked at what the server requests.

    :param vifs: those that are known anyway; the requests tell the same
    """
    return bool(owned(vifs)) or (
        'pci_requests' in instance
        and instance.pci_requests is not None
        and bool(instance.pci_requests.requests)
    )


def move_with(instance: Any, migrate_data: Any) -> bool:
    """Tell whether PCI devices have to do with a server's live migration."""
    return has_devices(instance, source_vifs(migrate_data))


def pins_memory(instance: Any, vifs: Iterable[Vif]) -> bool:
    """Tell whether VFIO pins the memory of a server's guest.

    It does so for our devices and for those of the flavor.
    """
    return bool(owned(vifs)) or (
        has_devices(instance)
        and any(
            request.source == request.FLAVOR_ALIAS
            for request in instance.pci_requests.requests
        )
    )


def address(vif: Vif) -> str | None:
    """Return the PCI address of a VIF's device, whosever, if it has one."""
    found = (vif.get('profile') or {}).get('pci_slot')
    return None if found is None else str(found)


def addresses(vifs: Iterable[Vif]) -> set[str]:
    """Return the PCI addresses of the VIFs' devices."""
    return {found for vif in vifs if (found := address(vif))}


def as_plugged(network_info: Any, plugged: Iterable[Vif]) -> Any:
    """Return a server's VIFs as they are on a host where it is not bound.

    :param network_info: as it is bound
    :param plugged: its VIFs with devices on that host
    :returns: without VIFs whose devices that host does not know; the same
        object for a server without devices
    """
    there = {vif['id']: vif for vif in plugged}
    if not addresses(network_info):
        return network_info
    return network_model.NetworkInfo(
        [
            there.get(vif['id'], vif)
            for vif in network_info
            if vif['id'] in there or not address(vif)
        ]
    )


def at(vifs: Iterable[Vif], addresses: Container[str]) -> list[Vif]:
    """Return the VIFs of ours whose device has one of these addresses."""
    return [vif for vif in vifs if vif['profile']['pci_slot'] in addresses]


def without(network_info: Any, vifs: Iterable[Vif]) -> Any:
    """Return a server's network information without some of its VIFs.

    Where none is left out it may be whatever Nova gave.
    """
    left_out = {vif['id'] for vif in vifs}
    if not left_out:
        return network_info
    return network_model.NetworkInfo(
        [vif for vif in network_info if vif['id'] not in left_out]
    )


def left_to_nova(vifs: Iterable[Vif]) -> list[Vif]:
    """Return the VIFs whose device stock Nova detaches and attaches."""
    return [
        vif
        for vif in vifs
        if vif['vnic_type'] in network_model.VNIC_TYPES_DIRECT_PASSTHROUGH
        and (vif['vnic_type'] not in VIF_TYPES or _is_offloaded(vif))
    ]


def refusals(vifs: Iterable[Vif]) -> list[str]:
    """Say of each VIF of ours that cannot be handled which and why."""
    return [
        f'Port {vif["id"]} is bound as {vif["type"]}; live migration with '
        f'the pt_migrate driver needs a {vif["vnic_type"]} port bound as '
        f'{VIF_TYPES[vif["vnic_type"]]}. Detach the port, or use cold '
        f'migration.'
        for vif in owned(vifs)
        if vif['type'] != VIF_TYPES[vif['vnic_type']]
    ]


def devices(vifs: Iterable[Vif], xml_of: XmlOf) -> tuple[model.Device, ...]:
    """Return the devices of the VIFs on the host where they are bound."""
    return tuple(
        model.Device(
            address=vif['profile']['pci_slot'],
            port=vif['id'],
            xml=xml_of(vif),
        )
        for vif in owned(vifs)
    )


def source_vifs(migrate_data: Any) -> list[Vif]:
    """Return the VIFs as bound on the source; empty if Nova has none."""
    return [vif.source_vif for vif in migrate_vifs(migrate_data)]


def destination_vifs(migrate_data: Any) -> list[Vif]:
    """Return the VIFs with devices, as bound on the destination."""
    return [
        vif.get_dest_vif()
        for vif in migrate_vifs(migrate_data)
        if address(vif.source_vif)
    ]


def owned_migrate_vifs(migrate_data: Any) -> list[Any]:
    """Return the VIFMigrateData of our devices."""
    return [
        vif for vif in migrate_vifs(migrate_data) if owned([vif.source_vif])
    ]


def put_devices_first(migrate_data: Any) -> None:
    """Order the VIFs so that Nova takes no interface for a device of ours.

    It tells the interfaces of the live XML by their MAC address, and where
    two VIFs have one it takes the last (nova/virt/libvirt/migration.py:565).
    Our devices have left the live XML then.
    """
    first = owned_migrate_vifs(migrate_data)
    if first:
        migrate_data.vifs = sorted(
            migrate_data.vifs, key=lambda vif: vif not in first
        )


def migrate_vifs(migrate_data: Any) -> list[Any]:
    """Return the VIFMigrateData that know their VIF on the source."""
    if not isinstance(migrate_data, migrate_data_obj.LibvirtLiveMigrateData):
        return []
    if 'vifs' not in migrate_data or not migrate_data.vifs:
        return []
    return [
        vif
        for vif in migrate_data.vifs
        if 'source_vif' in vif and vif.source_vif
    ]


def _is_offloaded(vif: Vif) -> bool:
    """True for a representor port of hardware-offloaded Open vSwitch.

    The port's owner asks for it with this capability (Neutron, "Open vSwitch
    hardware offloading").
    """
    return 'switchdev' in (vif.get('profile') or {}).get('capabilities', ())
