# SPDX-License-Identifier: Apache-2.0

from collections.abc import Iterator
import contextlib
from typing import Any

import testtools

from nova_pt_migrate.compute.hooks import wide_guest
from nova_pt_migrate.core import model
from nova_pt_migrate.host import xml
from nova_pt_migrate.tests.unit.compute import test_our_vifs
from nova_pt_migrate.tests.unit.compute.server import test_bringing
from nova_pt_migrate.tests.unit.host import test_xml


class VirDomain:
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], int]] = []

    def name(self) -> str:
        return 'instance-00000001'

    def migrateToURI3(
        self, destination: str, params: dict[str, Any], flags: int
    ) -> None:
        self.calls.append((destination, params, flags))


class TestWideDomain(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.vir = VirDomain()
        self.entered = 0
        self.domain = wide_guest.WideDomain(
            self.vir, [test_xml.VF], self.moving
        )

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        self.entered += 1
        yield

    def test_only_the_persistent_xml_gets_the_devices(self) -> None:
        live = test_xml.domain(test_xml.ORDINARY)
        given = {'destination_xml': live, 'persistent_xml': live}
        self.domain.migrateToURI3('qemu+tcp://b', params=given, flags=3)
        ((destination, params, flags),) = self.vir.calls
        self.assertEqual(('qemu+tcp://b', 3), (destination, flags))
        self.assertEqual(live, params['destination_xml'])
        self.assertEqual(
            ['0000:81:10.2'], list(xml.devices(params['persistent_xml']))
        )
        self.assertEqual(live, given['persistent_xml'])
        self.assertEqual(1, self.entered)

    def test_the_rest_is_the_domains(self) -> None:
        self.assertEqual('instance-00000001', self.domain.name())


class ElementsTest(testtools.TestCase):
    def elements(self, pci_slot: str) -> list[str]:
        source = test_our_vifs.vif('p', 'direct', 'hw_veb', pci_slot=pci_slot)
        return wide_guest.elements(
            model.Found(
                active=True,
                memory_gib=1.0,
                live={},
                persistent=xml.devices(test_xml.domain(test_xml.VF)),
            ),
            lambda _vif: test_xml.PF,
            [test_bringing.MigrateVif(source, source)],
        )

    def test_a_device_of_the_destination_gets_the_guests_address(self) -> None:
        (element,) = self.elements('0000:81:10.2')
        (found,) = xml.devices(test_xml.domain(element)).values()
        self.assertEqual('0000:82:00.1', found.address)
        self.assertEqual(test_xml.AT_07, test_xml.guest_address(found.xml))

    def test_a_device_that_is_missing_here_gets_any_address(self) -> None:
        (element,) = self.elements('0000:81:10.7')
        (found,) = xml.devices(test_xml.domain(element)).values()
        self.assertIsNone(test_xml.guest_address(found.xml))
