# SPDX-License-Identifier: Apache-2.0
"""Whether Neutron lets a second port carry the traffic of a pass-through port.

A bond over two ports has the addresses of the pass-through port and, with
``fail_over_mac=active``, the MAC address of the NIC that is active. While the
standby is, it sends with its own MAC address and the IP addresses of the
other port. Where port security is on, Neutron drops that unless the standby's
port may send with these pairs. The pass-through port needs none: of what a
VF sends only the MAC address is checked, and that is its own.
"""

from nova_pt_migrate.core import two_ports


def not_ready(seen: two_ports.TwoPorts) -> tuple[str, ...]:
    """Say what keeps the standby from carrying the traffic."""
    return (*_routed(seen), *_off(seen), *_addresses(seen))


def doubts(seen: two_ports.TwoPorts) -> tuple[str, ...]:
    """Say what the standby may not let through.

    The security groups of a pass-through port are written down, and nobody
    enforces them. They are what its owner wants all the same, so that a
    standby that has them too is not doubted.
    """
    primary, standby = seen.primary, seen.standby
    if not standby.filtered or seen.all_passes:
        return ()
    if not primary.secured:
        return (
            f'Run "openstack port set --no-security-group '
            f'--no-allowed-address --disable-port-security {standby.id}": '
            f'port {primary.id} has no port security, and the security '
            f'groups of its standby do not let everything through.',
        )
    if not primary.groups:
        return (
            f'Run "openstack port set --security-group GROUP {standby.id}" '
            f'with a group that lets through what the server needs: port '
            f'{primary.id} has none, and its device lets everything through.',
        )
    missing = [g for g in primary.groups if g not in standby.groups]
    if not missing:
        return ()
    options = ' '.join(f'--security-group {group}' for group in missing)
    return (
        f'Run "openstack port set {options} {standby.id}": port '
        f'{primary.id} has these security groups, and its standby has not.',
    )


def _routed(seen: two_ports.TwoPorts) -> tuple[str, ...]:
    """These routers do not learn from what a guest announces.

    OVN resolves addresses of its ports from its own database; the agent of a
    distributed router makes permanent neighbour entries of Neutron's.
    """
    if seen.router is None:
        return ()
    standby = seen.standby.id
    return (
        f'The routers of network {seen.network} ({seen.router}) do not learn '
        f'a second MAC address: run "openstack server remove port '
        f'{seen.server} {standby}" and "openstack server reboot --hard '
        f'{seen.server}", so that port {seen.primary.id} gets a standby '
        f'that Neutron does not know.',
    )


def _off(seen: two_ports.TwoPorts) -> tuple[str, ...]:
    if seen.standby.up:
        return ()
    return (
        f'Run "openstack port set --enable {seen.standby.id}": the standby '
        f'of port {seen.primary.id} is switched off.',
    )


def _addresses(seen: two_ports.TwoPorts) -> tuple[str, ...]:
    primary, standby = seen.primary, seen.standby
    if not standby.secured:
        return ()
    may = (*standby.fixed, *standby.allowed)
    missing = [
        pair
        for pair in (_sent(each, seen) for each in _all(primary))
        if not any(each.covers(pair) for each in may)
    ]
    if not missing:
        return ()
    options = ' '.join(_option(pair, standby) for pair in missing)
    return (
        f'Run "openstack port set {options} {standby.id}": Neutron drops '
        f'what this port, the standby of port {primary.id}, sends with the '
        f'addresses of that port.',
    )


def _all(primary: two_ports.Port) -> tuple[two_ports.Pair, ...]:
    return (*primary.fixed, *primary.allowed)


def _sent(pair: two_ports.Pair, seen: two_ports.TwoPorts) -> two_ports.Pair:
    """Return what the standby sends for a pair of the pass-through port.

    A MAC address of neither NIC is the guest's own, such as VRRP's, and
    stays.
    """
    if pair.mac != seen.primary.mac:
        return pair
    return two_ports.Pair(pair.ip, seen.standby.mac)


def _option(pair: two_ports.Pair, standby: two_ports.Port) -> str:
    """Neutron takes the port's own MAC address where none is given."""
    whole = pair.ip.prefixlen == pair.ip.max_prefixlen
    ip = pair.ip.network_address if whole else pair.ip
    mac = '' if pair.mac == standby.mac else f',mac-address={pair.mac}'
    return f'--allowed-address ip-address={ip}{mac}'
