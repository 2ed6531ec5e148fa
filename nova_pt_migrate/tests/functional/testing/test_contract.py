# SPDX-License-Identifier: Apache-2.0
"""The double keeps the contract that a real libvirt keeps."""

from collections.abc import Callable
from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt
import testtools

from nova_pt_migrate.testing import carrier_contract
from nova_pt_migrate.testing import clock
from nova_pt_migrate.testing import contract
from nova_pt_migrate.testing import fixture
from nova_pt_migrate.testing import state_contract
from nova_pt_migrate.tests.functional.testing import hosts


class DoubleAdapter:
    """Two hosts of the double, with a clock that passes by waiting."""

    libvirt = fakelibvirt
    seconds = 5.0

    def __init__(self, double: fixture.LibvirtDouble) -> None:
        self._double = double
        self._source = double.connect('here', hosts.pci_info())
        self._hypervisor = double.hypervisors['here']
        self._destination = double.connect('there', hosts.pci_info())

    def domain(self) -> Any:
        domain = self._source.defineXML(hosts.domain('one', hosts.vf()))
        domain.createWithFlags(0)
        return domain

    def destination(self) -> tuple[str, Any, dict[str, str]]:
        vf = {
            'domain': '0x0000',
            'bus': '0x81',
            'slot': '0x00',
            'function': '0x2',
        }
        return 'qemu+tcp://there/system', self._destination, vf

    def show_vf(self, address: str) -> dict[str, Any]:
        vf = self._hypervisor.vfs()[address]
        return {'mac': vf.mac, 'trusted': vf.trusted}

    def trust_vf(self, address: str, trusted: bool) -> None:
        functions = self._hypervisor.functions
        functions.set_trust(
            functions.netdev(address), functions.number(address), trusted
        )

    def is_linked(self, domain: Any, target: str) -> bool:
        return target not in domain.machine.carriers.down

    def now(self) -> float:
        return self._double.clock.now()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        return self._double.clock.wait(until, seconds)


class DoubleContractTest(
    contract.LibvirtContract,
    carrier_contract.CarrierContract,
    state_contract.StateContract,
    testtools.TestCase,
):
    def setUp(self) -> None:
        super().setUp()
        self.double = self.useFixture(
            fixture.LibvirtDouble(clock.VirtualClock())
        )
        self.adapter = DoubleAdapter(self.double)


class PcieNativeContractTest(DoubleContractTest):
    """QEMU refuses a second request for some seconds."""

    def setUp(self) -> None:
        super().setUp()
        self.double.settings.unplug_guard = 5.0
