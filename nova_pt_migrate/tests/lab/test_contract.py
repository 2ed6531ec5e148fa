# SPDX-License-Identifier: Apache-2.0
"""Real libvirt, QEMU and VFIO keep the contract; runs in a compute host.

The lab's scenario ``contract`` brings the guest's disk to two hosts and runs
this on the first, with the second's address in PT_CONTRACT_DESTINATION.
"""

from collections.abc import Callable
import json
import os
import pathlib
import subprocess
import threading
import time
from typing import Any
import unittest

import libvirt
from lxml import etree

from nova_pt_migrate.core import domain_words
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.host import agent as host_agent
from nova_pt_migrate.host import xml as domain_xml
from nova_pt_migrate.testing import carrier_contract
from nova_pt_migrate.testing import contract
from nova_pt_migrate.testing import contract_steps
from nova_pt_migrate.testing import state_contract

UUID = '5c8d3f0e-7c1c-4a55-9d0b-6d2f6a7f0c11'
DISK = '/var/lib/pt-contract/guest.qcow2'
CONSOLE = pathlib.Path('/var/lib/pt-contract/console.log')
PHYSICAL_FUNCTION = 'eth1'
DOMAIN = """
<domain type='kvm'>
  <name>pt-contract</name><uuid>{uuid}</uuid>
  <memory unit='MiB'>256</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough' migratable='on'>
    <feature policy='disable' name='svm'/>
  </cpu>
  <devices>
    <controller type='usb' model='none'/>
    <controller type='pci' index='0' model='pcie-root'/>
    {ports}
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{disk}'/>
      <target dev='vda' bus='virtio'/><readonly/>
    </disk>
    <interface type='direct'>
      <mac address='fa:16:3e:0a:09:fa'/>
      <source dev='{pf}' mode='bridge'/><model type='virtio'/>
    </interface>
    {vf}
    <serial type='file'><source path='{console}'/></serial>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <memballoon model='none'/>
  </devices>
</domain>
"""
VF = """
<interface type='hostdev' managed='yes'>
  <mac address='fa:16:3e:0a:09:fb'/>
  <source>
    <address type='pci' domain='0x{domain}' bus='0x{bus}' slot='0x{slot}'
             function='0x{function}'/>
  </source>
</interface>
"""


class LabAdapter:
    """The libvirt of this host, with a guest that is made when needed.

    :param peer: address of the host to migrate to
    """

    libvirt = libvirt
    seconds = 120.0

    def __init__(self, peer: str) -> None:
        self._uri = f'qemu+tcp://{peer}/system'
        self._here = libvirt.open('qemu:///system')
        self._there = libvirt.open(self._uri)

    def domain(self) -> Any:
        domain = self._running()
        if domain is None:
            self._remove()
            domain = self._here.defineXML(_domain_xml())
            CONSOLE.unlink(missing_ok=True)
            domain.create()
            if not self.wait(_booted, 300.0):
                raise AssertionError(f'the guest did not boot: {CONSOLE}')
        return domain

    def destination(self) -> tuple[str, Any, dict[str, str]]:
        """Another VF than the source's, which is the first."""
        return self._uri, self._there, _attributes(_vfs()[1])

    def show_vf(self, address: str) -> dict[str, Any]:
        shown = subprocess.run(
            ['ip', '-json', 'link', 'show', 'dev', PHYSICAL_FUNCTION],
            check=True,
            capture_output=True,
        ).stdout
        found = json.loads(shown)[0]['vfinfo_list'][_vfs().index(address)]
        return {'mac': found['address'], 'trusted': found['trust']}

    def trust_vf(self, address: str, trusted: bool) -> None:
        number = str(_vfs().index(address))
        subprocess.run(
            ['ip', 'link', 'set', 'dev', PHYSICAL_FUNCTION, 'vf', number]
            + ['trust', 'on' if trusted else 'off'],
            check=True,
        )

    def is_linked(self, domain: Any, target: str) -> bool:
        """Ask the guest's bond, which all its NICs are in."""
        agent = agents.Agent(
            host_agent.LibvirtChannel(domain, libvirt),
            time.monotonic,
            30.0,
            time.sleep,
        )
        mac = domain_xml.targets(domain.XMLDesc(0))[target]
        (linked,) = (
            slave.up
            for bond in bonds.observe(agent) or ()
            for slave in bond.slaves
            if slave.mac == mac
        )
        return linked

    def now(self) -> float:
        return time.monotonic()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def close(self) -> None:
        self._here.close()
        self._there.close()

    def _running(self) -> Any:
        """Return the guest if it is here, and give it its VF back."""
        try:
            domain = self._here.lookupByUUIDString(UUID)
        except libvirt.libvirtError:
            return None
        if not domain.isActive():
            return None
        live = domain.XMLDesc(0)
        if "type='hostdev'" not in live:
            domain.attachDeviceFlags(
                contract_steps.text(_persistent_vf(domain)),
                libvirt.VIR_DOMAIN_AFFECT_LIVE,
            )
        return domain

    def _remove(self) -> None:
        for connection in (self._here, self._there):
            try:
                domain = connection.lookupByUUIDString(UUID)
            except libvirt.libvirtError:
                continue
            if domain.isActive():
                domain.destroy()
            if domain.isPersistent():
                domain.undefine()


class RealContractTest(
    contract.LibvirtContract,
    carrier_contract.CarrierContract,
    state_contract.StateContract,
    unittest.TestCase,
):
    adapter: LabAdapter

    @classmethod
    def setUpClass(cls) -> None:
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_events, daemon=True).start()
        cls.adapter = LabAdapter(os.environ['PT_CONTRACT_DESTINATION'])

    @classmethod
    def tearDownClass(cls) -> None:
        cls.adapter._remove()
        cls.adapter.close()


class NumbersTest(unittest.TestCase):
    """What is told by numbers between our drivers is as libvirt has it."""

    def test_states_reasons_and_jobs(self) -> None:
        for kind, members in (
            ('DOMAIN', domain_words.State),
            ('DOMAIN_RUNNING', domain_words.Running),
            ('DOMAIN_PAUSED', domain_words.Paused),
            ('DOMAIN_JOB', domain_words.Job),
        ):
            for member in members:
                name = f'VIR_{kind}_{member.name}'
                self.assertEqual(getattr(libvirt, name), member, name)
        self.assertEqual(
            libvirt.VIR_DOMAIN_SHUTOFF_MIGRATED, domain_words.SHUTOFF_MIGRATED
        )
        self.assertEqual(
            libvirt.VIR_ERR_OPERATION_UNSUPPORTED, domain_words.UNSUPPORTED
        )


def _events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _vfs() -> list[str]:
    """Return the host addresses of the PF's VFs, in the kernel's order.

    Nova takes the last ones first, so that the first are free.
    """
    folder = pathlib.Path(f'/sys/class/net/{PHYSICAL_FUNCTION}/device')
    links = sorted(folder.glob('virtfn*'), key=lambda path: int(path.name[6:]))
    return [link.resolve().name for link in links]


def _attributes(address: str) -> dict[str, str]:
    domain, bus, rest = address.split(':')
    slot, function = rest.split('.')
    return {
        'domain': f'0x{domain}',
        'bus': f'0x{bus}',
        'slot': f'0x{slot}',
        'function': f'0x{function}',
    }


def _domain_xml() -> str:
    parts = {k: v[2:] for k, v in _attributes(_vfs()[0]).items()}
    ports = "<controller type='pci' model='pcie-root-port'/>\n" * 8
    return DOMAIN.format(
        uuid=UUID,
        ports=ports,
        disk=DISK,
        pf=PHYSICAL_FUNCTION,
        vf=VF.format(**parts),
        console=CONSOLE,
    )


def _persistent_vf(domain: Any) -> Any:
    document = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    return etree.fromstring(document).find(contract_steps.VF)


def _booted() -> bool:
    return CONSOLE.exists() and b'bond0=up' in CONSOLE.read_bytes()


if __name__ == '__main__':
    unittest.main(verbosity=2)
