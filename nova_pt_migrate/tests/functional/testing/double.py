# SPDX-License-Identifier: Apache-2.0
"""Two hosts of the double and a virtual clock."""

from collections.abc import Callable

from nova.tests.fixtures import libvirt as fakelibvirt
import testtools

from nova_pt_migrate.testing import clock
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import fixture
from nova_pt_migrate.tests.functional.testing import hosts

LIVE = fakelibvirt.VIR_DOMAIN_AFFECT_LIVE
CONFIG = fakelibvirt.VIR_DOMAIN_AFFECT_CONFIG
INACTIVE = fakelibvirt.VIR_DOMAIN_XML_INACTIVE
REMOVED = fakelibvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED
KEPT = fakelibvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED


class DoubleTestCase(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.double = self.useFixture(
            fixture.LibvirtDouble(clock.VirtualClock())
        )
        self.here = self.double.connect('here', hosts.pci_info())
        self.there = self.double.connect('there', hosts.pci_info())
        self.events: list[tuple[float, int, str]] = []
        for event in (REMOVED, KEPT):
            self.here.domainEventRegisterAny(
                None,
                event,
                lambda _, domain, alias, event: self.events.append(
                    (self.double.clock.now(), event, alias)
                ),
                event,
            )

    def start(self, name: str, *devices: str) -> domains.Domain:
        domain = self.here.defineXML(hosts.domain(name, *devices))
        domain.createWithFlags(0)
        return domain

    def pass_seconds(self, seconds: float) -> None:
        self.double.clock.wait(lambda: False, seconds)

    def assert_refused(
        self, text: str, call: Callable[..., object], *args: object
    ) -> None:
        error = self.assertRaises(fakelibvirt.libvirtError, call, *args)
        self.assertIn(text, str(error))

    def devices(self, domain: domains.Domain, flags: int = 0) -> list[str]:
        document = documents.parse(domain.XMLDesc(flags))
        return [
            str(documents.host_address(element))
            for element in documents.passthrough(document)
        ]
