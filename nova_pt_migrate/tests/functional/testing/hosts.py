# SPDX-License-Identifier: Apache-2.0
"""Hosts and a domain of the double, for tests without Nova's services."""

from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt
from oslo_utils.fixture import uuidsentinel as uuids

_INTERFACE = """
    <interface type='hostdev' managed='yes'>
      <mac address='52:54:00:00:01:{number:02x}'/>
      <source>
        <address type='pci' domain='0x0000' bus='0x81' slot='0x00'
                 function='0x{number}'/>
      </source>{more}
    </interface>
"""
_DOMAIN = """
<domain type='kvm'>
  <name>{name}</name><uuid>{uuid}</uuid>
  <memory>1048576</memory><vcpu>1</vcpu><os><type>hvm</type></os>
  <devices>
    <interface type='bridge'>
      <mac address='52:54:00:00:00:01'/><source bridge='br-int'/>
      <target dev='tap1'/><model type='virtio'/>
    </interface>{devices}
  </devices>
</domain>
"""


def vf(number: int = 1, more: str = '') -> str:
    """Return the interface of VF 0000:81:00.<number>."""
    return _INTERFACE.format(number=number, more=more).strip()


def address(number: int = 1) -> str:
    return f'0000:81:00.{number}'


def domain(name: str = 'one', *devices: str) -> str:
    """Return a domain with an ordinary NIC and these devices."""
    return _DOMAIN.format(
        name=name, uuid=getattr(uuids, name), devices=''.join(devices)
    )


def pci_info() -> Any:
    """Return a PF and VFs 1 to 7 of a host, at the addresses of all hosts."""
    return fakelibvirt.HostPCIDevicesInfo(num_pfs=1, num_vfs=7, bus=0x81)
