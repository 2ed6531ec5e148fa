# SPDX-License-Identifier: Apache-2.0
"""The double keeps the contract that a real libvirt keeps."""

from collections.abc import Callable
from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt
from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.testing import clock
from nova_pt_migrate.testing import contract
from nova_pt_migrate.testing import fixture

DOMAIN = f"""
<domain type='kvm'>
  <name>instance-1</name><uuid>{uuids.server}</uuid>
  <memory>1048576</memory><vcpu>1</vcpu><os><type>hvm</type></os>
  <devices>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:01'/><source bridge='br-int'/>
      <target dev='tap1'/>
    </interface>
    <interface type='hostdev' managed='yes'>
      <mac address='52:54:00:00:00:02'/>
      <source>
        <address type='pci' domain='0x0000' bus='0x81' slot='0x00'
                 function='0x1'/>
      </source>
    </interface>
  </devices>
</domain>
"""


class DoubleAdapter:
    """Two hosts of the double, with a clock that passes by waiting."""

    libvirt = fakelibvirt
    seconds = 5.0

    def __init__(self, double: fixture.LibvirtDouble) -> None:
        self._double = double
        self._source = double.connect('here', _vfs(0x81))
        self._destination = double.connect('there', _vfs(0x91))

    def domain(self) -> Any:
        domain = self._source.defineXML(DOMAIN)
        domain.createWithFlags(0)
        return domain

    def destination(self) -> tuple[str, Any, dict[str, str]]:
        vf = {
            'domain': '0x0000',
            'bus': '0x91',
            'slot': '0x00',
            'function': '0x2',
        }
        return 'qemu+tcp://there/system', self._destination, vf

    def now(self) -> float:
        return self._double.clock.now()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        return self._double.clock.wait(until, seconds)


class DoubleContractTest(contract.LibvirtContract, testtools.TestCase):
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


def _vfs(bus: int) -> Any:
    return fakelibvirt.HostPCIDevicesInfo(num_pfs=1, num_vfs=4, bus=bus)
