# SPDX-License-Identifier: Apache-2.0
"""Our standbys in libvirt's domain XML: add, hide, show again."""

from collections.abc import Sequence
from typing import Any

from lxml import etree

from nova_pt_migrate.core import pairs
from nova_pt_migrate.host import xml as domain_xml


def with_standbys(xml: str, standbys: Sequence[str]) -> str:
    """Return a domain XML with our standbys after its last interface."""
    if not standbys:
        return xml
    root = etree.fromstring(xml)
    devices = domain_xml.parent_of_devices(root)
    last = max(
        (i for i, e in enumerate(devices) if e.tag == 'interface'), default=-1
    )
    for offset, standby in enumerate(standbys, start=1):
        devices.insert(last + offset, etree.fromstring(standby))
    return str(etree.tostring(root, encoding='unicode'))


def hide(xml: str) -> tuple[str, list[tuple[int, str]]]:
    """Take our standbys out of a domain XML.

    :returns: the XML without them, and each with its place among the
        interfaces: :func:`show` puts them back
    """
    root = etree.fromstring(xml)
    hidden = []
    for place, element in enumerate(root.findall('./devices/interface')):
        if _is_ours(element):
            hidden.append(
                (place, str(etree.tostring(element, encoding='unicode')))
            )
            element.getparent().remove(element)
    return str(etree.tostring(root, encoding='unicode')), hidden


def show(
    xml: str, hidden: Sequence[tuple[int, str]], off: bool = False
) -> str:
    """Put standbys back, each at its place among the interfaces.

    libvirt compares the interfaces of a migration by their order.

    :param off: a guest that starts from it sees no link on them
    """
    if not hidden:
        return xml
    root = etree.fromstring(xml)
    devices = domain_xml.parent_of_devices(root)
    for place, text in hidden:
        interfaces = devices.findall('./interface')
        element = etree.fromstring(text)
        if off:
            domain_xml.set_link(element, False)
        if place < len(interfaces):
            interfaces[place].addprevious(element)
        elif interfaces:
            interfaces[-1].addnext(element)
        else:
            devices.append(element)
    return str(etree.tostring(root, encoding='unicode'))


def _is_ours(element: Any) -> bool:
    target = element.find('./target')
    return (
        element.get('type') == 'ethernet'
        and target is not None
        and str(target.get('dev', '')).startswith(pairs.PREFIX)
    )
