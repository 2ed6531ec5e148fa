# SPDX-License-Identifier: Apache-2.0
"""What sysfs and netlink show of netdevs and PCI functions, without root."""

import pathlib
from typing import Any

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import uplinks

NET = pathlib.Path('/sys/class/net')
PCI = pathlib.Path('/sys/bus/pci/devices')
COMMAND = 0x04
BUS_MASTER = 0x04
"""PCI Local Bus Specification 3.0, 6.2.2: the command register, its bit 2."""
IFF_UP = 0x01
"""From linux/if.h."""
NTF_SELF = 0x02
"""From linux/neighbour.h."""


def of_device(device: str) -> list[str]:
    """Return the netdevs of a PCI device; none while a guest has it."""
    return sorted(path.name for path in (PCI / device / 'net').glob('*'))


def physical_function(device: str) -> str | None:
    """Return the netdev of the PF of a VF; None for what is no VF.

    :param device: host PCI address of the VF
    """
    names = of_device(f'{device}/physfn')
    return names[0] if names else None


def user_of(device: str) -> str | None:
    """Say what on this host uses a PCI device, by its netdevs; or None.

    The folder is there for a netdev in any network namespace, and is empty
    for who is in another one.
    """
    folder = PCI / device / 'net'
    names = of_device(device)
    if folder.exists() and not names:
        return 'its netdev is in another network namespace (bring it back)'
    for name in names:
        for above in sorted((NET / name).glob('upper_*')):
            return (
                f'its netdev {name} is part of '
                f'{above.name.removeprefix("upper_")} (take it out)'
            )
    return None


def switched_off(device: str) -> str | None:
    """Say that the PF of a VF is off, which leaves its VFs without a link.

    None if it is on, or has no netdev, or if the device is no VF. A PF
    without a carrier is none of this: VFs of one NIC may talk to each other
    (ip-link(8), "vf NUM ... state").

    :raises OSError: its netdev has just gone
    """
    name = physical_function(device)
    if name is None or int((NET / name / 'flags').read_text(), 16) & IFF_UP:
        return None
    return f'its physical function {name} is off (switch it on)'


def is_bus_master(device: str) -> bool:
    """True once a driver has let a PCI device begin transfers.

    QEMU passes that bit of a guest's driver on to the device, and it is off
    after the reset that precedes a guest.

    :raises OSError: there is no such device
    """
    config = (PCI / device / 'config').read_bytes()
    return bool(config[COMMAND] & BUS_MASTER)


def stale(route: Any, mac: str, device: str | None) -> int | None:
    """Return the number of a VF if it has the MAC address, though unused.

    :param device: host PCI address of the VF; None for no look
    """
    if device is None:
        return None
    name, which = physical_function(device), _number(device)
    if name is None or which is None:
        return None
    for index in route.link_lookup(ifname=name):
        (link,) = route.link('get', index=index, ext_mask=1)
        for vf in _vfs(link):
            if vf['vf'] == which and vf['mac'] == mac:
                return which
    return None


def check_vlan(kind: uplinks.Kind, on: str, vlan: int | None) -> None:
    """Refuse a bridge that knows no VLANs: the guest would be in all of them.

    :raises errors.HostError: saying what to do
    """
    if kind is not uplinks.Kind.BRIDGE or vlan is None:
        return
    path = NET / on / 'bridge' / 'vlan_filtering'
    if path.read_text().strip() != '1':
        raise errors.HostError(
            f'bridge {on} does not know VLAN {vlan}: set its vlan_filtering, '
            f'or map the network to ovs or macvtap'
        )


def _number(device: str) -> int | None:
    """Return which of its PF's VFs one is; None for what is no VF."""
    for path in (PCI / device / 'physfn').glob('virtfn*'):
        if path.resolve().name == device:
            return int(path.name.removeprefix('virtfn'))
    return None


def members(bridge: str) -> list[str]:
    """Return the ports of a Linux bridge."""
    return sorted(path.name for path in (NET / bridge / 'brif').glob('*'))


def master(link: str) -> str | None:
    """Return the netdev that has this one for a port."""
    path = NET / link / 'master'
    return path.resolve().name if path.exists() else None


def lies_on(link: str, below: str) -> bool:
    """True if a netdev is another one, or a VLAN or the like on it."""
    return link == below or (NET / link / f'lower_{below}').exists()


def is_physical(link: str) -> bool:
    """True for a netdev with a device, or one that lies on such."""
    folder = NET / link
    return (folder / 'device').exists() or any(folder.glob('lower_*'))


def is_up(route: Any, name: str) -> bool | None:
    """Tell whether a netdev is on; None if there is none."""
    for index in route.link_lookup(ifname=name):
        (link,) = route.get_links(index)
        return bool(link['flags'] & IFF_UP)
    return None


def has_entry(route: Any, name: str, mac: str) -> bool:
    """True if a netdev takes frames for a further MAC address."""
    found = route.link_lookup(ifname=name)
    return bool(found) and any(
        entry.get_attr('NDA_LLADDR') == mac and entry['flags'] & NTF_SELF
        for entry in route.fdb('dump', ifindex=found[0])
    )


def with_entry(route: Any, mac: str) -> list[str]:
    """Return the netdevs that take frames for a further MAC address."""
    found = {
        entry['ifindex']
        for entry in route.fdb('dump')
        if entry.get_attr('NDA_LLADDR') == mac and entry['flags'] & NTF_SELF
    }
    return sorted(
        link.get_attr('IFLA_IFNAME')
        for index in found
        for link in route.get_links(index)
    )


def words(link: str) -> str:
    """Return what is written down with a netdev; empty if it is nothing."""
    path = NET / link / 'ifalias'
    return path.read_text().strip() if path.exists() else ''


def _vfs(link: Any) -> list[dict[str, Any]]:
    """Return number and address of each VF that a PF's netdev tells."""
    listed = link.get_attr('IFLA_VFINFO_LIST')
    if listed is None:
        return []
    return [
        {'vf': mac['vf'], 'mac': mac['mac']}
        for info in listed.get_attrs('IFLA_VF_INFO')
        if (mac := info.get_attr('IFLA_VF_MAC')) is not None
    ]
