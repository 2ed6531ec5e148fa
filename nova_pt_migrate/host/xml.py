# SPDX-License-Identifier: Apache-2.0
"""Pass-through devices in libvirt's domain XML: find, address, insert.

Element and attribute names: https://libvirt.org/formatdomain.html, sections
"PCI passthrough of a network device" and "USB / PCI / SCSI devices".
"""

from collections.abc import Sequence
import copy

from lxml import etree

from nova_pt_migrate.core import model

_DEVICES = (
    "./devices/interface[@type='hostdev']",
    "./devices/hostdev[@mode='subsystem'][@type='pci']",
)


def devices(xml: str) -> dict[str, model.FoundDevice]:
    """Return the pass-through PCI devices of a domain XML by host address."""
    root = etree.fromstring(xml)
    found = (_found(element) for element in elements(root))
    return {device.address: device for device in found if device.address}


def elements(root: etree._Element) -> list[etree._Element]:
    """Return the elements of all pass-through PCI devices of a domain."""
    return [e for path in _DEVICES for e in root.findall(path)]


def parent_of_devices(root: etree._Element) -> etree._Element:
    """Return the element that has all devices of a domain.

    :raises ValueError: it is no domain that libvirt wrote
    """
    found = root.find('./devices')
    if found is None:
        raise ValueError('the domain XML has no <devices>')
    return found


def memory_gib(xml: str) -> float:
    """Return the guest's maximum memory in GiB, all of which VFIO pins.

    libvirt always writes it in KiB.
    """
    kib = etree.fromstring(xml).findtext('./memory')
    return int(kib) / 2**20 if kib else 0.0


def targets(xml: str) -> dict[str, str]:
    """Return the MAC address of each NIC that is no device, by its netdev."""
    root = etree.fromstring(xml)
    found = {}
    for element in root.findall("./devices/interface"):
        target, mac = element.find('./target'), element.find('./mac')
        if element.get('type') != 'hostdev' and None not in (target, mac):
            found[target.get('dev', '')] = mac.get('address', '').lower()
    return found


def unlinked(xml: str) -> frozenset[str]:
    """Return the netdevs of the NICs on which the guest sees no link."""
    return frozenset(
        target.get('dev', '')
        for element in etree.fromstring(xml).findall('./devices/interface')
        for target in element.findall('./target')
        if element.find("./link[@state='down']") is not None
    )


def with_link(xml: str, target: str, up: bool) -> str | None:
    """Return the element of a NIC, with a link or without one.

    :param target: name of its netdev on the host
    :returns: None if the domain has none with that
    """
    for element in etree.fromstring(xml).findall('./devices/interface'):
        found = element.find('./target')
        if found is not None and found.get('dev') == target:
            set_link(element, up)
            return str(etree.tostring(element, encoding='unicode'))
    return None


def set_link(element: etree._Element, up: bool) -> None:
    """Say in a NIC's element whether the guest sees a link."""
    for present in element.findall('./link'):
        element.remove(present)
    etree.SubElement(element, 'link', state='up' if up else 'down')


def for_plug(xml: str) -> str:
    """Return a device's element fit for a new attach.

    libvirt names devices itself and refuses a name of its own kind that it
    did not give; only an alias that a user chose (``ua-``) may stay.
    """
    element = etree.fromstring(xml)
    alias = element.find('alias')
    if alias is not None and not alias.get('name', '').startswith('ua-'):
        element.remove(alias)
    return str(etree.tostring(element, encoding='unicode'))


def with_guest_address(xml: str, source_xml: str) -> str:
    """Return ``xml`` with the guest's PCI address that ``source_xml`` has.

    A device that comes back at another guest address is another device for
    the guest: its interface gets a new name.
    """
    element = etree.fromstring(xml)
    kept = etree.fromstring(source_xml).find('./address')
    for present in element.findall('./address'):
        element.remove(present)
    if kept is not None:
        element.append(copy.deepcopy(kept))
    return str(etree.tostring(element, encoding='unicode'))


def without(domain_xml: str, address: str) -> str:
    """Return the domain XML without the device with this host address."""
    root = etree.fromstring(domain_xml)
    for element in elements(root):
        if _address(element.find('./source/address')) == address:
            element.getparent().remove(element)
    return str(etree.tostring(root, encoding='unicode'))


def with_devices(domain_xml: str, elements: Sequence[str]) -> str:
    """Return the domain XML with the device elements added at the end."""
    root = etree.fromstring(domain_xml)
    parent = parent_of_devices(root)
    for element in elements:
        parent.append(etree.fromstring(element))
    return str(etree.tostring(root, encoding='unicode'))


def _found(element: etree._Element) -> model.FoundDevice:
    alias = element.find('./alias')
    return model.FoundDevice(
        address=_address(element.find('./source/address')) or '',
        xml=str(etree.tostring(element, encoding='unicode')).strip(),
        alias=None if alias is None else alias.get('name'),
    )


def _address(element: etree._Element | None) -> str | None:
    """``dddd:bb:ss.f``; libvirt writes each part as a hexadecimal number."""
    if element is None:
        return None
    domain, bus, slot, function = (
        int(element.get(part, '0'), 16)
        for part in ('domain', 'bus', 'slot', 'function')
    )
    return f'{domain:04x}:{bus:02x}:{slot:02x}.{function:x}'
