# SPDX-License-Identifier: Apache-2.0
"""What needs root, in a process of its own, and nothing else.

Started through privsep: as ``[pt_migrate_privileged] helper_command``, or by
Nova's root helper with the filter of ``etc/nova-pt-migrate/rootwrap.d``.
"""

import contextlib
import errno
import fcntl
import os
import pathlib
import socket
import struct
from typing import Any

from oslo_concurrency import processutils
from oslo_privsep import capabilities
from oslo_privsep import priv_context
import pyroute2

context = priv_context.PrivContext(
    'nova_pt_migrate',
    cfg_section='pt_migrate_privileged',
    pypath=f'{__name__}.context',
    capabilities=[
        capabilities.CAP_NET_ADMIN,
        capabilities.CAP_NET_RAW,
        # The socket of Open vSwitch belongs to root.
        capabilities.CAP_DAC_OVERRIDE,
    ],
)

IPV6 = pathlib.Path('/proc/sys/net/ipv6/conf')
NOBODY = '00:00:00:00:00:00'
TUNSETIFF = 0x400454CA
TUNSETPERSIST = 0x400454CB
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
"""From linux/if_tun.h."""
IFF_ALLMULTI = 0x0200
"""From linux/if.h."""
NTF_SELF = 0x02
NUD_PERMANENT = 0x80
"""From linux/neighbour.h."""
ETH_P_RARP = 0x8035
ETH_P_8021Q = 0x8100
"""From linux/if_ether.h."""


@context.entrypoint
def set_link(name: str, up: bool) -> None:
    """Switch a netdev on or off.

    :raises OSError: there is none of that name, or it cannot be
    """
    with pyroute2.IPRoute() as route:
        route.link('set', index=_index(name), state='up' if up else 'down')


@context.entrypoint
def write_down(name: str, words: str) -> None:
    """Keep words with a netdev, as its alias; anybody may read them."""
    with pyroute2.IPRoute() as route:
        route.link('set', index=_index(name), ifalias=words)


@context.entrypoint
def add_filter(name: str, mac: str) -> None:
    """Let a netdev take frames for a further MAC address.

    As ``bridge fdb add MAC dev NAME self``.
    """
    with pyroute2.IPRoute() as route, _but(errno.EEXIST):
        route.fdb('add', **_entry(name, mac))


@context.entrypoint
def remove_filter(name: str, mac: str) -> None:
    """Undo :func:`add_filter`."""
    with pyroute2.IPRoute() as route, _but(errno.ENOENT):
        route.fdb('del', **_entry(name, mac))


@context.entrypoint
def clear_vf(name: str, number: int) -> None:
    """Take the MAC address from a VF of the PF with this netdev."""
    with pyroute2.IPRoute() as route:
        route.link('set', index=_index(name), vf={'vf': number, 'mac': NOBODY})


@context.entrypoint
def announce(name: str, mac: str, vlan: int | None) -> None:
    """Send a reverse ARP request from a MAC address, as QEMU does.

    Switches learn from it where the address is; nobody answers it.
    """
    own = bytes.fromhex(mac.replace(':', ''))
    tag = b'' if vlan is None else struct.pack('!HH', ETH_P_8021Q, vlan)
    request = struct.pack('!HHBBH', 1, 0x0800, 6, 4, 3)
    frame = (
        b'\xff' * 6 + own + tag + struct.pack('!H', ETH_P_RARP) + request
        + own + bytes(4) + own + bytes(4)
    )  # fmt: skip
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((name, 0))
        sender.send(frame.ljust(60, b'\0'))


@context.entrypoint
def create_tap(name: str, mtu: int | None) -> None:
    """Make a tap that outlives whoever uses it; it is off."""
    tun = os.open('/dev/net/tun', os.O_RDWR)
    try:
        flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
        fcntl.ioctl(
            tun, TUNSETIFF, struct.pack('16sH22x', name.encode(), flags)
        )
        fcntl.ioctl(tun, TUNSETPERSIST, 1)
    finally:
        os.close(tun)
    _mute(name)
    if mtu:
        with pyroute2.IPRoute() as route:
            route.link('set', index=_index(name), mtu=mtu)


@context.entrypoint
def create_macvtap(
    name: str, parent: str, mac: str, vlan: int | None, mtu: int | None
) -> None:
    """Make a macvtap on a netdev, or on its VLAN; it is off.

    The VLAN's netdev is made where it is missing, and left for others. While
    it is on it takes every multicast frame, as the groups that the guest is in
    are not known here: without them neighbours, routers and VRRP peers are
    not heard (drivers/net/macvlan.c: macvlan_open, macvlan_set_mac_lists).
    """
    with pyroute2.IPRoute() as route:
        below = _index(parent)
        if vlan is not None:
            below = _vlan(route, parent, below, vlan)
        more = {'mtu': mtu} if mtu else {}
        route.link(
            'add', ifname=name, kind='macvtap', link=below, address=mac,
            macvtap_mode='bridge', flags=IFF_ALLMULTI, change=IFF_ALLMULTI,
            **more,
        )  # fmt: skip
    _mute(name)


@context.entrypoint
def delete_link(name: str) -> None:
    """Delete a netdev; one that is not there is no error."""
    with pyroute2.IPRoute() as route:
        found = route.link_lookup(ifname=name)
        if found:
            with _but(errno.ENODEV):
                route.link('del', index=found[0])


@context.entrypoint
def to_bridge(name: str, bridge: str, vlan: int | None) -> None:
    """Make a netdev a port of a Linux bridge, untagged in a VLAN of it."""
    with pyroute2.IPRoute() as route:
        route.link('set', index=_index(name), master=_index(bridge))
    if vlan is not None:
        _run('bridge', 'vlan', 'add', 'dev', name, 'vid', str(vlan), 'pvid',
             'untagged')  # fmt: skip


@context.entrypoint
def to_ovs(name: str, bridge: str, vlan: int | None) -> None:
    """Make a netdev a port of an Open vSwitch bridge that no agent claims."""
    tag = [] if vlan is None else ['--', 'set', 'Port', name, f'tag={vlan}']
    _run('ovs-vsctl', '--timeout=10', '--may-exist', 'add-port', bridge, name,
         *tag)  # fmt: skip


@context.entrypoint
def from_ovs(name: str) -> None:
    """Take a netdev out of whatever Open vSwitch bridge has it."""
    _run('ovs-vsctl', '--timeout=10', '--if-exists', 'del-port', name)


@context.entrypoint
def guard(name: str, mac: str, hook: str) -> None:
    """Let a netdev take no frame from the guest with another source address.

    :param hook: where the guest's frames pass: ``ingress`` of a tap,
        ``egress`` of a macvtap
    """
    _run('tc', 'qdisc', 'replace', 'dev', name, 'clsact')
    where = ('dev', name, hook, 'protocol', 'all')
    _run('tc', 'filter', 'replace', *where, 'pref', '1', 'handle', '1',
         'flower', 'src_mac', mac, 'action', 'pass')  # fmt: skip
    _run('tc', 'filter', 'replace', *where, 'pref', '2', 'handle', '1',
         'matchall', 'action', 'drop')  # fmt: skip


def _index(name: str) -> int:
    return socket.if_nametoindex(name)


def _entry(name: str, mac: str) -> dict[str, Any]:
    return {
        'ifindex': _index(name),
        'lladdr': mac,
        'flags': NTF_SELF,
        'state': NUD_PERMANENT,
    }


def _vlan(route: Any, parent: str, index: int, vlan: int) -> int:
    name = f'{parent[:10]}.{vlan}'
    found = route.link_lookup(kind='vlan', link=index, vlan_id=vlan)
    if not found:
        route.link('add', ifname=name, kind='vlan', link=index, vlan_id=vlan)
        found = route.link_lookup(ifname=name)
        _mute(name)
    route.link('set', index=found[0], state='up')
    return int(found[0])


def _mute(name: str) -> None:
    """Let the host itself send nothing by a netdev that is off.

    Its kernel would solicit routers for minutes, with the guest's MAC address
    on a macvtap: switches take them for the guest, which may have left
    (Documentation/networking/ip-sysctl.rst, disable_ipv6).
    """
    # There is no such file where the kernel has no IPv6.
    with contextlib.suppress(FileNotFoundError):
        (IPV6 / name / 'disable_ipv6').write_text('1')


def _run(*argv: str) -> None:
    processutils.execute(*argv)


@contextlib.contextmanager
def _but(number: int) -> Any:
    """Take one error of the kernel for success."""
    try:
        yield
    except pyroute2.NetlinkError as exc:
        if exc.code != number:
            raise
