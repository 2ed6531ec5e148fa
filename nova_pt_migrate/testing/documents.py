# SPDX-License-Identifier: Apache-2.0
"""What libvirt does to a domain's XML: names, guest addresses, insertions.

The documents live long and are changed by many threads, so they are of the
standard library: nodes of lxml belong to the thread that parsed them, and the
interpreter crashes now and then when another one joins them to its own.
"""

from collections.abc import Iterator
import copy
import re
from typing import TypeAlias
from xml.etree import ElementTree

from nova_pt_migrate.testing import errors

Element: TypeAlias = ElementTree.Element

_PARTS = ('domain', 'bus', 'slot', 'function')
_PCI_TAGS = ('interface', 'hostdev')


def parse(xml: str) -> Element:
    return ElementTree.fromstring(xml)


def text(element: Element) -> str:
    return ElementTree.tostring(element, encoding='unicode')


def elements(document: Element) -> Iterator[Element]:
    """Yield the elements of ``<devices>``, in order."""
    devices = document.find('./devices')
    return iter(()) if devices is None else iter(list(devices))


def passthrough(document: Element) -> list[Element]:
    """Return the pass-through PCI devices."""
    return [e for e in elements(document) if host_address(e)]


def host_address(element: Element) -> str | None:
    """Return the host PCI address of a pass-through device, else None."""
    kind = (element.tag, element.get('type'))
    if kind not in (('interface', 'hostdev'), ('hostdev', 'pci')):
        return None
    return _address(element.find('./source/address'))


def guest_address(element: Element) -> str | None:
    return _address(element.find("./address[@type='pci']"))


def alias(element: Element) -> str | None:
    found = element.find('./alias')
    return None if found is None else found.get('name')


def identity(element: Element) -> str:
    """Return what tells this device from the others of a domain."""
    target = element.find('./target')
    name = '' if target is None else target.get('dev', '')
    return host_address(element) or _mac(element) or name


def targets(document: Element) -> list[str]:
    """Return the netdevs of the NICs."""
    return [
        name
        for element in elements(document)
        if element.tag == 'interface'
        for name in targets_of(element)
    ]


def targets_of(nic: Element) -> list[str]:
    """Return the netdevs of a NIC, which are at most one."""
    return [target.get('dev', '') for target in nic.findall('./target')]


def find_nic(document: Element, wanted: Element) -> Element | None:
    """Find the NIC that an element means.

    By its MAC address, and by guest address and alias where it tells them
    (src/conf/domain_conf.c, virDomainNetFindIdx).
    """
    address, name = guest_address(wanted), alias(wanted)
    return next(
        (
            e
            for e in elements(document)
            if e.tag == 'interface'
            and _mac(e) == _mac(wanted)
            and address in (None, guest_address(e))
            and name in (None, alias(e))
        ),
        None,
    )


def is_linked(document: Element, target: str) -> bool:
    """Tell whether a document lets the guest see a link on a NIC."""
    return not any(
        nic.find("./link[@state='down']") is not None
        for nic in elements(document)
        if nic.tag == 'interface' and target in targets_of(nic)
    )


def find_alias(document: Element, name: str) -> Element | None:
    return next((e for e in elements(document) if alias(e) == name), None)


def find_like(document: Element, wanted: Element) -> Element | None:
    """Find what a detach means: NICs by MAC, others by their identity."""
    key = _mac if wanted.tag == 'interface' else identity
    return next(
        (
            e
            for e in elements(document)
            if e.tag == wanted.tag and key(e) == key(wanted)
        ),
        None,
    )


def insert(document: Element, element: Element, ports: int | None) -> Element:
    """Add a copy with a guest address to ``<devices>``.

    :param ports: how many root ports there are; None to add as needed
    :raises libvirtError: the address is in use or there is no free port
    """
    new = copy.deepcopy(element)
    wanted = guest_address(new)
    if wanted and wanted in _used(document):
        raise errors.double_address(wanted)
    if wanted is None and _needs_port(new):
        _set_guest_address(new, _free_bus(document, ports))
    _devices(document).append(new)
    return new


def remove(document: Element, element: Element) -> None:
    """Take a device out of ``<devices>``."""
    _devices(document).remove(element)


def _devices(document: Element) -> Element:
    found = document.find('./devices')
    if found is None:
        raise ValueError('the domain XML has no <devices>')
    return found


def assign_addresses(document: Element) -> None:
    """Give each device that lacks one a guest PCI address, as define does."""
    for element in elements(document):
        if _needs_port(element) and guest_address(element) is None:
            _set_guest_address(element, _free_bus(document, None))


def assign_alias(document: Element, element: Element) -> None:
    """Name a device of the live domain, unless a user did.

    :raises libvirtError: the user's name is taken
    """
    given = alias(element)
    others = {alias(e) for e in elements(document) if e is not element}
    if given and given.startswith('ua-'):
        if given in others:
            raise errors.unsupported(f'non unique alias detected: {given}')
        return
    for present in element.findall('./alias'):
        element.remove(present)
    kind = _kind(element)
    numbers = (re.fullmatch(rf'{kind}(\d+)', o) for o in others if o)
    number = max((int(n[1]) for n in numbers if n), default=-1) + 1
    ElementTree.SubElement(element, 'alias', name=f'{kind}{number}')


def without_aliases(document: Element) -> Element:
    """Return a copy for the persistent XML; names of users stay."""
    new = copy.deepcopy(document)
    for element in elements(new):
        for present in element.findall('./alias'):
            if not present.get('name', '').startswith('ua-'):
                element.remove(present)
    return new


def _kind(element: Element) -> str:
    if host_address(element):
        return 'hostdev'
    tag = str(element.tag)
    return {'interface': 'net', 'disk': 'virtio-disk'}.get(tag, tag)


def _mac(element: Element) -> str:
    mac = element.find('./mac')
    return '' if mac is None else mac.get('address', '').lower()


def _needs_port(element: Element) -> bool:
    return element.tag in _PCI_TAGS and element.get('type') != 'mdev'


def _used(document: Element) -> set[str | None]:
    return {guest_address(e) for e in elements(document)}


def _free_bus(document: Element, ports: int | None) -> int:
    used = _used(document)
    bus = 1
    while f'0000:{bus:02x}:00.0' in used:
        bus += 1
    if ports is not None and bus > ports:
        raise errors.internal('No more available PCI slots')
    return bus


def _set_guest_address(element: Element, bus: int) -> None:
    ElementTree.SubElement(
        element,
        'address',
        type='pci',
        domain='0x0000',
        bus=f'0x{bus:02x}',
        slot='0x00',
        function='0x0',
    )


def _address(element: Element | None) -> str | None:
    if element is None:
        return None
    domain, bus, slot, function = (
        int(element.get(part, '0'), 16) for part in _PARTS
    )
    return f'{domain:04x}:{bus:02x}:{slot:02x}.{function:x}'
