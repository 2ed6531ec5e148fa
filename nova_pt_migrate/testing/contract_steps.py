# SPDX-License-Identifier: Apache-2.0
"""What the contract suite needs of its surroundings, and its steps."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import copy
from typing import Any
from typing import Protocol
from typing import TYPE_CHECKING
import unittest

from lxml import etree

VF = "./devices/interface[@type='hostdev']"
HOST_PARTS = ('domain', 'bus', 'slot', 'function')


class Adapter(Protocol):
    """One libvirt with a guest, and another one to migrate it to.

    :ivar libvirt: the libvirt module: constants and ``libvirtError``
    :ivar seconds: what a healthy guest may take to release a device, a
        migration included; be generous
    """

    libvirt: Any
    seconds: float

    def domain(self) -> Any:
        """Return a running virDomain with one VF and an ordinary NIC.

        The VF is an ``<interface type='hostdev' managed='yes'>`` without
        teaming and without an alias of its own, in the live and in the
        persistent XML, and the guest is past its boot. Called once in a
        test, so make it so again.
        """

    def destination(self) -> tuple[str, Any, dict[str, str]]:
        """Return URI, virConnect and a free VF of another host.

        The VF is the attributes of libvirt's ``<source><address>``.
        """

    def show_vf(self, address: str) -> dict[str, Any]:
        """Return ``mac`` and ``trusted`` of a VF of the first libvirt's host.

        As ``ip link show`` tells of the PF.
        """

    def trust_vf(self, address: str, trusted: bool) -> None:
        """``ip link set PF vf NUMBER trust on`` there, or off."""

    def now(self) -> float:
        """Return monotonic seconds, as :func:`time.monotonic` does."""

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until the condition holds, or for the seconds.

        A loop with short sleeps will do; libvirt's event loop must run.
        """


if TYPE_CHECKING:
    _Base = unittest.TestCase
else:
    _Base = object


class Steps(_Base):
    """Single steps on a domain with one VF."""

    adapter: Adapter

    @property
    def live(self) -> int:
        return int(self.adapter.libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def domain_and_alias(self) -> tuple[Any, str]:
        domain = self.adapter.domain()
        return domain, str(self.vf(domain).find('./alias').get('name'))

    def vf(self, domain: Any) -> Any:
        return etree.fromstring(domain.XMLDesc(0)).find(VF)

    def inactive(self, domain: Any) -> str:
        return str(
            domain.XMLDesc(self.adapter.libvirt.VIR_DOMAIN_XML_INACTIVE)
        )

    def inactive_vf(self, domain: Any) -> Any:
        return etree.fromstring(self.inactive(domain)).find(VF)

    def netdev(self, domain: Any) -> str:
        """Return the name of the ordinary NIC's netdev on the host."""
        root = etree.fromstring(domain.XMLDesc(0))
        (nic,) = (
            nic
            for nic in root.findall('./devices/interface')
            if nic.get('type') != 'hostdev'
        )
        return str(nic.find('./target').get('dev'))

    def wait(
        self, until: Callable[[], bool], seconds: float | None = None
    ) -> bool:
        return self.adapter.wait(until, seconds or self.adapter.seconds)

    def detach_alias(self, domain: Any, alias: str) -> None:
        domain.detachDeviceAlias(alias, self.live)

    def unplug(self, domain: Any, alias: str) -> None:
        self.detach_alias(domain, alias)
        self.assertTrue(self.wait(lambda: self.vf(domain) is None))

    def attach(self, domain: Any, element: Any) -> None:
        domain.attachDeviceFlags(text(element), self.live)

    def migrate(self, domain: Any, uri: str, params: dict[str, str]) -> None:
        libvirt = self.adapter.libvirt
        domain.migrateToURI3(
            uri,
            params=params,
            flags=libvirt.VIR_MIGRATE_LIVE
            | libvirt.VIR_MIGRATE_PEER2PEER
            | libvirt.VIR_MIGRATE_PERSIST_DEST
            | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE,
        )

    @contextlib.contextmanager
    def paused(self, domain: Any) -> Iterator[None]:
        """A guest that releases nothing: what was asked comes at the end."""
        domain.suspend()
        try:
            yield
        finally:
            domain.resume()

    @contextlib.contextmanager
    def device_events(self, domain: Any) -> Iterator[list[tuple[str, str]]]:
        libvirt = self.adapter.libvirt
        uuid = domain.UUIDString()
        events: list[tuple[str, str]] = []

        def arrived(_: Any, whose: Any, alias: str, what: str) -> None:
            if whose.UUIDString() == uuid:
                events.append((what, alias))

        connection = domain.connect()
        numbers = [
            connection.domainEventRegisterAny(None, event, arrived, what)
            for event, what in (
                (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, 'removed'),
                (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, 'kept'),
            )
        ]
        try:
            yield events
        finally:
            for number in numbers:
                connection.domainEventDeregisterAny(number)

    @contextlib.contextmanager
    def lifecycle(self, connection: Any, uuid: str) -> Iterator[list[int]]:
        """Collect what a host tells of the life of one domain."""
        told: list[int] = []

        def arrived(
            _: Any, whose: Any, event: int, detail: int, opaque: Any
        ) -> None:
            if whose.UUIDString() == uuid:
                told.append(event)

        number = connection.domainEventRegisterAny(
            None,
            self.adapter.libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            arrived,
            None,
        )
        try:
            yield told
        finally:
            connection.domainEventDeregisterAny(number)


def text(element: Any) -> str:
    return str(etree.tostring(element, encoding='unicode'))


def node_device(connection: Any, address: dict[str, str]) -> Any:
    """Return the virNodeDevice of a PCI device."""
    numbers = '_'.join(address[part][2:] for part in HOST_PARTS)
    return connection.nodeDeviceLookupByName(f'pci_{numbers}')


def driver(node: Any) -> str | None:
    """Return the driver that a node device has on its host now."""
    found = etree.fromstring(node.XMLDesc(0)).findtext('./driver/name')
    return None if found is None else str(found)


def has_group(node: Any) -> bool:
    """True if a node device is in an IOMMU group."""
    path = './capability/iommuGroup'
    return etree.fromstring(node.XMLDesc(0)).find(path) is not None


def _attributes(element: Any) -> dict[str, str]:
    return {part: element.get(part) for part in HOST_PARTS}


def guest_address(vf: Any) -> dict[str, str]:
    return _attributes(vf.find('./address'))


def host_address(vf: Any) -> dict[str, str]:
    return _attributes(vf.find('./source/address'))


def pci_address(attributes: dict[str, str]) -> str:
    """Return ``0000:81:00.1`` for what libvirt tells in four parts."""
    domain, bus, slot, function = (
        attributes[part].removeprefix('0x') for part in HOST_PARTS
    )
    return f'{domain}:{bus}:{slot}.{function}'


def addresses(xml: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Return host and guest address of each VF of a domain XML."""
    return [
        (host_address(vf), guest_address(vf))
        for vf in etree.fromstring(xml).findall(VF)
    ]


def wide(xml: str, vf: Any, free: dict[str, str]) -> str:
    """Return the domain XML with the VF, taken from another host address."""
    root = etree.fromstring(xml)
    new = copy.deepcopy(vf)
    for part, value in free.items():
        new.find('./source/address').set(part, value)
    root.find('./devices').append(new)
    return text(root)
