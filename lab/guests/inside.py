# SPDX-License-Identifier: Apache-2.0
"""What the kernel of a guest has for links, and what is wrong with them.

This is the lab's own look, through ``ip`` and not through the code that is
tried out.
"""

from collections.abc import Iterable
import dataclasses
import ipaddress
import json
from typing import Any

from lab.guests import wires

COMMAND = ('ip', '-json', '-details', 'address', 'show')
NICS = 5
ROUTES = ('ip', '-json', '-4', 'route', 'show')


@dataclasses.dataclass(frozen=True, slots=True)
class Nic:
    """A link of the guest.

    :ivar mac: address that it has now
    :ivar permanent: address that it was made with
    :ivar kind: ``bond``, or empty for hardware
    :ivar master: name of the bond it is in
    :ivar active: name of a bond's active slave
    :ivar mtu: in bytes
    :ivar addresses: all of IPv4 and IPv6, without link-local ones
    """

    name: str
    mac: str
    permanent: str
    kind: str
    master: str
    active: str
    mtu: int
    addresses: tuple[str, ...]


def nics(printed: str) -> tuple[Nic, ...]:
    """Take apart what :data:`COMMAND` prints."""
    return tuple(_nic(each) for each in json.loads(printed))


def hardware(found: Iterable[Nic], mac: str) -> Nic | None:
    """Return the NIC that was made with this address."""
    return next(
        (nic for nic in found if not nic.kind and nic.permanent == mac), None
    )


def without_bond(found: tuple[Nic, ...]) -> list[str]:
    """Say what is wrong where there is to be no bond."""
    wrong = [f'{nic.name} is still there' for nic in found if nic.kind]
    primary = hardware(found, wires.PRIMARY)
    if primary is None or not _has_address(primary, wires.NETWORK):
        wrong.append(f'the primary has not just its address: {primary}')
    return [*wrong, *_other(found)]


def with_bond(found: tuple[Nic, ...], active: str, slaves: int) -> list[str]:
    """Say what is wrong where the bond is to be whole.

    :param active: permanent address of what is to carry the traffic
    :param slaves: how many of primary and standby are there
    """
    masters = [nic for nic in found if nic.kind == 'bond']
    if len(masters) != 1:
        return [f'there are {len(masters)} bonds', *_other(found)]
    bond = masters[0]
    wrong = []
    if bond.mac != wires.PRIMARY:
        wrong.append(f'{bond.name} has the MAC address {bond.mac}')
    if not _has_address(bond, wires.NETWORK):
        wrong.append(f'{bond.name} has the addresses {bond.addresses}')
    wrong += _ports(found, bond, slaves)
    carrier = hardware(found, active)
    if carrier is None or bond.active != carrier.name:
        wrong.append(f'the active slave is {bond.active or "none"}')
    return [*wrong, *_other(found)]


def joined(found: tuple[Nic, ...], slaves: int) -> list[str]:
    """Say what is wrong where the kernel has made a link of net_failover."""
    below = [n for n in found if n.mac == wires.PRIMARY and n.master]
    links = [n for n in found if n.name in {each.master for each in below}]
    if len(links) != 1 or len(below) != slaves:
        return [
            f'there are {len(links)} links over {len(below)} NICs of {slaves}',
            *_other(found),
        ]
    wrong = [
        f'{nic.name} has the addresses {nic.addresses}'
        for nic in below
        if nic.addresses
    ]
    if not _has_address(links[0], wires.NETWORK):
        wrong.append(f'{links[0].name} has the addresses {links[0].addresses}')
    return [*wrong, *_other(found)]


def as_before(found: tuple[Nic, ...], routes: str) -> list[str]:
    """Say in what a bond is worse than the NIC in its place was.

    :param routes: what :data:`ROUTES` prints
    """
    metrics = {
        route['dev']: route.get('metric', 0) for route in json.loads(routes)
    }
    wrong = []
    for nic in found:
        wants_mtu = nic.kind == 'bond' or nic.permanent == wires.STANDBY
        if wants_mtu and nic.mtu != wires.MTU:
            wrong.append(f'{nic.name} has the MTU {nic.mtu}')
    bond = next((nic.name for nic in found if nic.kind == 'bond'), '')
    other = hardware(found, wires.OTHER)
    # Managers count NICs, in one order or the other.
    most = metrics.get(other.name if other else '', 0) + NICS
    if metrics.get(bond, most + 1) > most:
        wrong.append(f'routes of {bond} are after those of others: {metrics}')
    return wrong


def _has_address(nic: Nic, network: str) -> bool:
    """Tell whether it has one of this network and no other."""
    addresses = [ipaddress.ip_address(each) for each in nic.addresses]
    return len(addresses) == 1 and addresses[0] in ipaddress.ip_network(
        network
    )


def _ports(found: tuple[Nic, ...], bond: Nic, slaves: int) -> list[str]:
    there = [hardware(found, mac) for mac in (wires.PRIMARY, wires.STANDBY)]
    ports = [nic for nic in there if nic is not None]
    wrong = []
    if len(ports) != slaves:
        wrong.append(f'{len(ports)} of {slaves} slaves are there')
    for nic in ports:
        if nic.master != bond.name:
            wrong.append(f'{nic.name} is not in {bond.name}')
        if nic.addresses:
            wrong.append(f'{nic.name} has the addresses {nic.addresses}')
    return wrong


def _other(found: tuple[Nic, ...]) -> list[str]:
    """The NIC that is nobody's business must be as its manager made it."""
    nic = hardware(found, wires.OTHER)
    if nic is None:
        return ['the unrelated NIC has gone']
    if (nic.mac, nic.master) != (wires.OTHER, ''):
        return [f'the unrelated NIC was touched: {nic}']
    if not _has_address(nic, wires.OTHER_NETWORK):
        return [f'the unrelated NIC has the addresses {nic.addresses}']
    return []


def _nic(link: dict[str, Any]) -> Nic:
    kind = link.get('linkinfo', {})
    mac = link.get('address', '')
    return Nic(
        name=link['ifname'],
        mac=mac,
        permanent=link.get('permaddr', mac),
        kind=kind.get('info_kind', ''),
        master=link.get('master', ''),
        active=kind.get('info_data', {}).get('active_slave', ''),
        mtu=link['mtu'],
        addresses=tuple(
            each['local']
            for each in link.get('addr_info', [])
            if each.get('scope') == 'global'
        ),
    )
