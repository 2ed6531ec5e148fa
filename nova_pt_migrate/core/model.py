# SPDX-License-Identifier: Apache-2.0
"""The values the planner works on: a domain, and the devices in it."""

from collections.abc import Mapping
import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class FoundDevice:
    """A pass-through device as one of the domain's XML documents shows it.

    :ivar address: PCI address on the host, ``dddd:bb:ss.f``
    :ivar xml: the device's element, complete
    :ivar alias: libvirt's name of the device; only the live XML must have one
    """

    address: str
    xml: str
    alias: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What a look at the domain showed; devices by host PCI address.

    :ivar active: the guest exists on this host, running or paused
    :ivar memory_gib: the guest's maximum memory in GiB
    :ivar targets: MAC address of each other NIC of the live domain, by the
        name of its netdev on the host
    :ivar unlinked: the netdevs of those of them that the guest sees without a
        link, since libvirt holds them so
    """

    active: bool
    memory_gib: float
    live: Mapping[str, FoundDevice]
    persistent: Mapping[str, FoundDevice]
    targets: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unlinked: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Device:
    """A device that this driver owns on this host.

    :ivar address: PCI address on the host, ``dddd:bb:ss.f``
    :ivar port: UUID of the Neutron port
    :ivar xml: the element to plug where the persistent XML has none
    """

    address: str
    port: str
    xml: str
