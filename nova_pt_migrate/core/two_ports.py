# SPDX-License-Identifier: Apache-2.0
"""What Neutron says of a pass-through port and of its standby's port.

Values only. All words in them are UUIDs, IP and MAC addresses.
"""

import dataclasses
import enum
import ipaddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Router(enum.StrEnum):
    """Routers that know from Neutron at which MAC address an address is."""

    OVN = 'OVN'
    DVR = 'DVR'


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """An IP address, or a network of them, with the MAC address beside it."""

    ip: Network
    mac: str

    def covers(self, other: 'Pair') -> bool:
        """True if who may send with this one may do so with the other."""
        return (
            self.mac == other.mac
            and self.ip.version == other.ip.version
            and int(self.ip[0]) <= int(other.ip[0])
            and int(self.ip[-1]) >= int(other.ip[-1])
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """A port.

    :ivar up: it is switched on
    :ivar fixed: its own addresses
    :ivar allowed: those it may send with beside its own
    :ivar secured: port security is on
    :ivar filtered: its security groups are enforced
    :ivar groups: UUIDs of its security groups, in order
    """

    id: str
    mac: str
    up: bool
    fixed: tuple[Pair, ...]
    allowed: tuple[Pair, ...]
    secured: bool
    filtered: bool
    groups: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TwoPorts:
    """A pair over two ports.

    :ivar server: UUID of the server
    :ivar network: UUID of their network
    :ivar router: that the network has; None if it learns addresses itself
    :ivar all_passes: the standby's security groups let everything through
    """

    server: str
    network: str
    primary: Port
    standby: Port
    router: Router | None
    all_passes: bool
