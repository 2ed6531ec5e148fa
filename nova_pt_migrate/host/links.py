# SPDX-License-Identifier: Apache-2.0
"""The netdevs of this host: what is seen without root, and what is changed."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import pathlib
import re
from typing import Any

from oslo_concurrency import processutils
import pyroute2

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import steps
from nova_pt_migrate.host import privileged

NET = pathlib.Path('/sys/class/net')
PCI = pathlib.Path('/sys/bus/pci/devices')


class HostLinks:
    """Provides :class:`core.ports.Links`."""

    def look(
        self, standby: handover.Standby, device: str | None
    ) -> handover.Found:
        """See :meth:`core.ports.Links.look`."""
        with (
            _failing(f'looking at {standby.link}'),
            pyroute2.IPRoute() as route,
        ):
            return handover.Found(
                up=_is_up(route, standby.link),
                filtered=bool(standby.filter)
                and _has_entry(route, str(standby.filter), standby.mac),
                stale=_stale(route, standby.mac, device),
            )

    def run(self, step: steps.LinkStep) -> None:
        """See :meth:`core.ports.Links.run`."""
        with _failing(str(step)):
            _call(step)()


def _call(step: steps.LinkStep) -> Callable[[], None]:
    match step:
        case steps.LinkUp(link):
            return lambda: privileged.set_link(link, True)
        case steps.LinkDown(link):
            return lambda: privileged.set_link(link, False)
        case steps.AddFilter(link, mac):
            return lambda: privileged.add_filter(link, mac)
        case steps.RemoveFilter(link, mac):
            return lambda: privileged.remove_filter(link, mac)
        case steps.ClearVf(link, number):
            return lambda: privileged.clear_vf(link, number)
        case steps.Announce(link, mac, vlan):
            return lambda: privileged.announce(link, mac, vlan)


def physical_function(device: str) -> str | None:
    """Return the netdev of the PF of a VF; None for what is no VF.

    :param device: host PCI address of the VF
    """
    folder = PCI / device / 'physfn' / 'net'
    names = sorted(path.name for path in folder.glob('*'))
    return names[0] if names else None


def number(device: str) -> int | None:
    """Return which of its PF's VFs one is; None for what is no VF."""
    for path in (PCI / device / 'physfn').glob('virtfn*'):
        if path.resolve().name == device:
            return int(path.name.removeprefix('virtfn'))
    return None


def members(bridge: str) -> list[str]:
    """Return the ports of a Linux bridge."""
    return sorted(path.name for path in (NET / bridge / 'brif').glob('*'))


def lies_on(link: str, below: str) -> bool:
    """True if a netdev is another one, or a VLAN or the like on it."""
    return link == below or (NET / link / f'lower_{below}').exists()


def is_physical(link: str) -> bool:
    """True for a netdev with a device, or one that lies on such."""
    folder = NET / link
    return (folder / 'device').exists() or any(folder.glob('lower_*'))


def _is_up(route: Any, name: str) -> bool | None:
    for index in route.link_lookup(ifname=name):
        (link,) = route.get_links(index)
        return bool(link['flags'] & 1)
    return None


def _has_entry(route: Any, name: str, mac: str) -> bool:
    found = route.link_lookup(ifname=name)
    return bool(found) and any(
        entry.get_attr('NDA_LLADDR') == mac
        and entry['flags'] & privileged.NTF_SELF
        for entry in route.fdb('dump', ifindex=found[0])
    )


def _stale(route: Any, mac: str, device: str | None) -> int | None:
    """Return the number of the VF if it has the address, though unused."""
    if device is None:
        return None
    name, which = physical_function(device), number(device)
    if name is None or which is None:
        return None
    for index in route.link_lookup(ifname=name):
        (link,) = route.link('get', index=index, ext_mask=1)
        for vf in _vfs(link):
            if vf['vf'] == which and vf['mac'] == mac:
                return which
    return None


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


@contextlib.contextmanager
def _failing(what: str) -> Iterator[None]:
    """Turn what the kernel says into an error of the host."""
    try:
        yield
    except (
        OSError,
        pyroute2.NetlinkError,
        processutils.ProcessExecutionError,
    ) as exc:
        text = re.sub(r'\s+', ' ', str(exc))
        raise errors.HostError(f'{what}: {text}') from exc
