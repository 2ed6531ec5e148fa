# SPDX-License-Identifier: Apache-2.0
"""Give the destination a persistent XML that is wider than the live one.

The guest travels without its devices, and libvirt undefines it at the source.
The record of what it must have is the persistent XML, so the destination's
must already hold the destination's devices at the guest's PCI addresses.
libvirt takes different documents for the two (``persistent_xml`` of
virDomainMigrateToURI3, seen with libvirt 11.3); Nova passes one for both
(nova/virt/libvirt/guest.py:636).
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from nova.virt.libvirt import guest as libvirt_guest

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.core import model
from nova_pt_migrate.host import pair_xml
from nova_pt_migrate.host import xml as domain_xml


def guest(
    narrow: Any, devices: Sequence[str], moving: Callable[[], Any]
) -> Any:
    """Return a nova.virt.libvirt.guest.Guest that migrates so.

    :param narrow: the Guest as Nova made it
    """
    return libvirt_guest.Guest(WideDomain(narrow._domain, devices, moving))


def elements(
    found: model.Found,
    xml_of: our_vifs.XmlOf,
    migrate_vifs: Iterable[Any],
) -> list[str]:
    """Return the destination's devices at the guest's PCI addresses.

    :param found: the server's devices on this host
    :param migrate_vifs: VIFMigrateData of devices that are still plugged
        here or in the persistent XML
    """
    here = {**found.persistent, **found.live}
    elements = []
    for migrate_vif in migrate_vifs:
        element = xml_of(migrate_vif.get_dest_vif())
        address = migrate_vif.source_vif['profile']['pci_slot']
        if address in here:
            element = domain_xml.with_guest_address(element, here[address].xml)
        elements.append(element)
    return elements


class WideDomain:
    """A ``libvirt.virDomain`` whose migration persists more devices.

    Everything but the migration is passed on to the domain.

    :param devices: elements to add to the persistent XML
    :param moving: entered around libvirt's call
    """

    def __init__(
        self, domain: Any, devices: Sequence[str], moving: Callable[[], Any]
    ) -> None:
        self._domain = domain
        self._devices = tuple(devices)
        self._moving = moving
        self._hidden: list[tuple[int, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domain, name)

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802 (libvirt's name)
        """Return the domain's XML without standbys of ours.

        Nova would take one for the port whose MAC address it has
        (nova/virt/libvirt/migration.py:565).
        """
        xml, self._hidden = pair_xml.hide(self._domain.XMLDesc(flags))
        return xml

    def migrateToURI3(  # noqa: N802 (libvirt's name)
        self, destination: str, params: dict[str, Any], flags: int
    ) -> Any:
        """Migrate with ``persistent_xml`` widened; raises as libvirt does.

        Both documents get the standbys back, at their places. What the
        guest sees of their links comes with its memory (QEMU,
        hw/net/virtio-net.c: virtio_net_post_load_device), so the live
        document says what is so here.
        """
        wide = dict(params)
        for name, off in (
            ('destination_xml', False),
            ('persistent_xml', True),
        ):
            if name in wide:
                wide[name] = pair_xml.show(wide[name], self._hidden, off)
        wide['persistent_xml'] = domain_xml.with_devices(
            wide['persistent_xml'], self._devices
        )
        with self._moving():
            return self._domain.migrateToURI3(
                destination, params=wide, flags=flags
            )
