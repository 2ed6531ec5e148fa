# SPDX-License-Identifier: Apache-2.0
"""What is known of a pass-through NIC and its standby. Values only."""

import dataclasses
import enum

from nova_pt_migrate.core import text
from nova_pt_migrate.core import two_ports

NO_PAIR = 'none'
"""The pairing of a port that has no standby."""
PREFIX = 'pts'
"""How netdevs of our standbys begin; no agent of Neutron looks at such."""


def link_name(port: str) -> str:
    """Return the name of the netdev of a port's standby."""
    return f'{PREFIX}{port[:11]}'


def alias(port: str) -> str:
    """Return libvirt's name of the standby of a port."""
    return f'ua-{PREFIX}-{port}'


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """What is written down with the netdev of a standby of ours.

    :ivar mac: that its guest has
    :ivar port: UUID of the port; None if an earlier driver has made it
    :ivar server: UUID of its server; None likewise
    """

    mac: str
    port: str | None = None
    server: str | None = None

    def __str__(self) -> str:
        if self.port is None or self.server is None:
            return self.mac
        return f'{alias(self.port)} {self.mac} {self.server}'

    def fits(self, name: str) -> bool:
        """True unless the netdev's name is that of another port."""
        return self.port is None or name == link_name(self.port)


def read_words(words: str) -> Words | None:
    """Return what is written down, or None if that is none of ours."""
    match words.split(' '):
        case [mac] if text.mac(mac):
            return Words(mac)
        case [named, mac, server] if text.mac(mac):
            port = named.removeprefix(alias(''))
            if named == alias(port) and server:
                return Words(mac, port, server)
    return None


class StandbyKind(enum.Enum):
    """What a pass-through NIC has for a standby."""

    OWN = 'own'
    """One that this driver makes; Neutron does not know it."""

    PORT = 'port'
    """An ordinary port of the same server."""

    NONE = 'none'


class Need(enum.StrEnum):
    """What a server wants of its standby (``pt_migrate:standby``)."""

    REQUIRED = 'required'
    """Without one that can carry the traffic the server stays."""

    PREFERRED = 'preferred'
    """Without one it moves all the same, and that is recorded."""

    NONE = 'none'
    """It has none."""


class Way(enum.StrEnum):
    """Who makes the bond in the guest (``pt_migrate:bond``)."""

    PREPARE = 'prepare'
    """The guest, from what it gets when it boots for the first time."""

    OBSERVE = 'observe'
    """Its administrator."""

    MANAGE = 'manage'
    """This driver, through the guest agent."""


@dataclasses.dataclass(frozen=True, slots=True)
class Slave:
    """A NIC in a bond, as the guest's kernel shows it.

    :ivar mac: its permanent address, or None
    :ivar up: it has a link
    """

    name: str
    mac: str | None
    up: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Bond:
    """A bond of the guest.

    :ivar mode: in the kernel's words, ``active-backup`` or another
    :ivar active: name of the active slave, or None
    :ivar fail_over_mac: whose MAC address it has, in the kernel's words
    """

    name: str
    mode: str
    active: str | None
    slaves: tuple[Slave, ...]
    fail_over_mac: str = 'none'

    def slave(self, mac: str) -> Slave | None:
        """Return the slave with this permanent MAC address."""
        return next((s for s in self.slaves if s.mac == mac), None)


@dataclasses.dataclass(frozen=True, slots=True)
class GuestView:
    """What the guest tells of its network; it may lie.

    :ivar interfaces: MAC address of each interface by name, as it is now
    :ivar bonds: all bonds; None if the agent may not read what tells of them
    :ivar taken: those interfaces that were passed through and have an IP
        address of their own, though others have their MAC address
    :ivar denied: what the agent offers and may not do all the same, with the
        cause; empty if there is nothing
    :ivar silent: why the agent, which is there, tells nothing; empty if it
        answers
    """

    interfaces: dict[str, str | None]
    bonds: tuple[Bond, ...] | None = None
    denied: str = ''
    silent: str = ''
    taken: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """A pass-through NIC of a server, with its standby.

    :ivar port: UUID of the Neutron port of the pass-through NIC
    :ivar device: its host PCI address
    :ivar mac: its MAC address
    :ivar whole_function: it is a PF, not a VF
    :ivar kind: what its standby is
    :ivar standby_mac: permanent MAC address of the standby in the guest
    :ivar standby_port: UUID of the standby's port, if it has one
    :ivar on_own_pf: the standby hangs on the PF that the VF is of, or that is
        passed through
    """

    port: str
    device: str
    mac: str
    whole_function: bool
    kind: StandbyKind
    standby_mac: str | None = None
    standby_port: str | None = None
    on_own_pf: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """One pair as it is now.

    :ivar pcie: the machine type has PCIe, so that a device can be hidden
    :ivar virtio: the server's image lets its NICs be virtio
    :ivar standby_there: the standby is in the live domain and may be used
    :ivar guest: what the guest told; None if it told nothing
    :ivar earlier: a standby of ours is in the live domain, which the server
        should not have any more
    :ivar ports: what Neutron says of a pair over two ports; None for any
        other, and where Neutron is not asked
    :ivar held: the guest sees no link on the standby, since we hold it so
    """

    pair: Pair
    pcie: bool
    virtio: bool
    standby_there: bool
    guest: GuestView | None = None
    earlier: bool = False
    ports: two_ports.TwoPorts | None = None
    held: bool = False


TWIN = 0x0C


def twin(mac: str) -> str:
    """Return the permanent MAC address of the standby that a bond gets.

    It differs from that of the pass-through NIC, which is also the bond's:
    cloud-init ends a guest's boot where two NICs have the same permanent
    address (its get_interfaces_by_mac raises), and a network manager could
    not tell them apart. Two bits of the first byte are turned, neither of
    which says that an address is local or of a group (IEEE 802, 8.2.2), so
    that the other one follows from either.
    """
    first, _, rest = mac.partition(':')
    return f'{int(first, 16) ^ TWIN:02x}:{rest}'
