# SPDX-License-Identifier: Apache-2.0
"""How libvirt gives a guest's NIC a link, and what a migration makes of it.

For the same adapters as :mod:`contract`. libvirt's documents say how a link
should be, and QEMU has it: the two must not be taken for one.
"""

from typing import Any
from typing import Protocol

from lxml import etree

from nova_pt_migrate.host import xml as domain_xml
from nova_pt_migrate.testing import contract_steps as steps


class Adapter(steps.Adapter, Protocol):
    """One that sees what the guest sees as well."""

    def is_linked(self, domain: Any, target: str) -> bool:
        """Tell whether the guest sees a link on the NIC with this netdev.

        Told by the guest, not by a document. Its ordinary NIC is up.
        """


class CarrierContract(steps.Steps):
    """Tests of the link of the ordinary NIC."""

    adapter: Adapter

    def set_link(self, domain: Any, up: bool) -> None:
        """Change the live domain alone, as the driver does."""
        element = domain_xml.with_link(
            domain.XMLDesc(0), self.netdev(domain), up
        )
        domain.updateDeviceFlags(element, self.live)

    def told(self, document: str) -> list[str | None]:
        """Return what a document says of the links of its ordinary NICs."""
        return [
            link.get('state')
            for nic in etree.fromstring(document).findall(
                './devices/interface'
            )
            if nic.get('type') != 'hostdev'
            for link in nic.findall('./link')
        ]

    def assert_linked(self, domain: Any, linked: bool) -> None:
        target = self.netdev(domain)
        self.assertTrue(
            self.wait(
                lambda: self.adapter.is_linked(domain, target) is linked
            ),
            f'the guest never saw it: {linked}',
        )

    def test_a_link_is_taken_and_given(self) -> None:
        """In the live domain: the next start is as it was."""
        domain, _ = self.domain_and_alias()
        before = self.told(self.inactive(domain))
        self.assert_linked(domain, True)
        for up in (False, False, True):
            self.set_link(domain, up)
            self.assert_linked(domain, up)
            self.assertEqual(
                ['up' if up else 'down'], self.told(domain.XMLDesc(0))
            )
        self.assertEqual(before, self.told(self.inactive(domain)))

    def test_nothing_but_the_link_may_differ(self) -> None:
        libvirt = self.adapter.libvirt
        domain, _ = self.domain_and_alias()
        text = domain_xml.with_link(
            domain.XMLDesc(0), self.netdev(domain), False
        )
        other = etree.fromstring(text)
        other.find('./model').set('type', 'e1000e')
        with self.assertRaises(libvirt.libvirtError) as caught:
            domain.updateDeviceFlags(steps.text(other), self.live)
        self.assertEqual(
            libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
            caught.exception.get_error_code(),
        )
        self.assert_linked(domain, True)

    def test_a_link_comes_with_the_memory(self) -> None:
        """Not by the document: QEMU is told nothing that it says already.

        So it is to be told the other thing first.
        """
        domain, alias = self.domain_and_alias()
        self.unplug(domain, alias)
        self.set_link(domain, False)
        self.assert_linked(domain, False)
        uri, there, _ = self.adapter.destination()
        uuid = domain.UUIDString()
        document = etree.fromstring(
            domain.XMLDesc(self.adapter.libvirt.VIR_DOMAIN_XML_MIGRATABLE)
        )
        for link in document.findall('./devices/interface/link'):
            link.set('state', 'up')
        wide = steps.text(document)
        self.migrate(
            domain, uri, {'destination_xml': wide, 'persistent_xml': wide}
        )
        arrived = there.lookupByUUIDString(uuid)
        self.assertNotIn('down', self.told(arrived.XMLDesc(0)))
        self.assert_linked(arrived, False)
        self.set_link(arrived, True)
        self.assert_linked(arrived, False)
        self.set_link(arrived, False)
        self.set_link(arrived, True)
        self.assert_linked(arrived, True)
