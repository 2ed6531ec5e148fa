# SPDX-License-Identifier: Apache-2.0
"""Nova's calls for VFs reach the host of the nova-compute that makes them.

And what must be true of the VFs and the standbys of all hosts whenever all is
quiet, for every server: what a server uses is as its port says, what nobody
uses is as the host had it.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
from typing import Any

import fixtures
from nova import exception
from nova import objects
from nova.compute import task_states
from nova.network import model
from nova.tests.fixtures import libvirt as fakelibvirt
from oslo_utils import strutils

from nova_pt_migrate.core import pairs
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import functions
from nova_pt_migrate.testing import hypervisor
from nova_pt_migrate.tests.functional import lives
from nova_pt_migrate.tests.functional import waiting

COUNT = 16
"""How many VFs a host has."""
QUIET = 60.0
"""Seconds in which all that goes on after a test has ended."""


def pci_info(bus: int, number: int) -> Any:
    """Return the devices of a host: a PF with VFs, and a PF of its own.

    :param number: of the host, which its MAC addresses are told by
    """
    info = fakelibvirt.HostPCIDevicesInfo(
        num_pfs=1, num_vfs=COUNT, numa_node=0, bus=bus
    )
    info.add_device(
        dev_type='PF',
        bus=bus + 1,
        slot=0,
        function=0,
        iommu_group=99,
        numa_node=0,
        vf_ratio=0,
        mac_address=f'b4:96:91:34:f4:{number:02x}',
    )
    return info


class Kernels(fixtures.Fixture):
    """Puts the doubles of hosts where Nova reads and sets VFs.

    Nova runs ``ip link`` in a privileged process (nova/virt/libvirt/vif.py,
    set_vf_trusted and set_vf_interface_vlan).

    :param hypervisors: of all hosts, by their names
    """

    def __init__(
        self, hypervisors: Mapping[str, hypervisor.Hypervisor]
    ) -> None:
        super().__init__()
        self._hypervisors = hypervisors

    def _setUp(self) -> None:
        for path, value in (
            ('nova.pci.utils.get_ifname_by_pci_address', self._netdev),
            ('nova.pci.utils.get_vf_num_by_pci_address', self._number),
            ('nova.privsep.linux_net.set_device_trust', self.set_trust),
            (
                'nova.privsep.linux_net.set_device_macaddr_and_vlan',
                self.set_mac_and_vlan,
            ),
        ):
            self.useFixture(fixtures.MonkeyPatch(path, value))

    def set_trust(self, netdev: str, number: int, trusted: bool) -> None:
        self._here().set_trust(netdev, number, trusted)

    def set_mac_and_vlan(
        self, netdev: str, number: int, mac: str, vlan: int
    ) -> None:
        self._here().set_mac_and_vlan(netdev, number, mac, vlan)

    def _here(self) -> functions.Functions:
        life = lives.current()
        if life is None:
            raise RuntimeError('no nova-compute makes this call')
        return self._hypervisors[life.host].functions

    def _netdev(self, address: str, pf_interface: bool = False) -> str:
        name = self._here().netdev(address)
        return name if pf_interface else f'{name}v{self._number(address)}'

    def _number(self, address: str) -> int:
        return self._here().number(address)


class Hosts(waiting.Waiting):
    """Has all hosts looked at after each test that has not failed."""

    _is_failing = False

    def check_hosts_at_the_end(self) -> None:
        self.addOnException(self._note_failing)
        self.addCleanup(self._check_unless_failing)

    def _note_failing(self, _exc_info: Any) -> None:
        self._is_failing = True

    def _check_unless_failing(self) -> None:
        if not self._is_failing:
            self.check_hosts()

    def assert_hosts_spoilt(self) -> None:
        """They are not as they must be, and are not looked at again."""
        self.assertNotEqual([], problems(self))
        self._is_failing = True

    def check_hosts(self) -> None:
        """VFs and standbys of all hosts are as they must be, or soon are."""
        found: list[str] = []

        def is_in_order() -> bool:
            found[:] = problems(self)
            return not found

        self.wait_for(
            is_in_order, 'VFs and standbys in order', found, patience=QUIET
        )


@dataclasses.dataclass(frozen=True)
class _Port:
    """A Neutron port as one host must know it.

    :ivar address: of its device there; None if it has none
    :ivar bound: the host is where it is, not where it may go
    :ivar macvtap: the device stays with the host, and the guest has a netdev
    """

    id: str
    server: str
    mac: str
    address: str | None
    vlan: int | None
    trusted: bool
    bound: bool
    macvtap: bool

    def on(self, vf: functions.Vf) -> functions.Vf:
        """Return a VF of the host as a guest has it by this port."""
        return dataclasses.replace(
            vf,
            mac=self.mac.lower(),
            vlan=vf.vlan if self.vlan is None else self.vlan,
            trusted=vf.trusted or self.trusted,
        )


def problems(test: Any) -> list[str]:
    """Return what is not as it must be on hosts whose nova-compute lives."""
    return [
        f'{host}: {problem}'
        for host, hypervisor in test.double.hypervisors.items()
        if host in test.computes and test.processes.is_alive(host)
        for ports in [list(_ports(test, host))]
        for problem in (
            *_wrong_vfs(hypervisor, ports),
            *_wrong_standbys(
                hypervisor, ports, getattr(test, 'links', {}).get(host)
            ),
        )
    ]


def _ports(test: Any, host: str) -> Iterator[_Port]:
    for port in list(test.neutron._ports.values()):
        binding = test.neutron._port_bindings.get(port['id'], {}).get(host)
        if binding is None:
            continue
        bound = binding['status'] == 'ACTIVE'
        if not bound and not _is_migrating(test, port.get('device_id')):
            continue
        profile = binding.get('profile') or {}
        yield _Port(
            id=port['id'],
            server=port.get('device_id', ''),
            mac=port['mac_address'],
            address=profile.get('pci_slot'),
            # A representor of Open vSwitch has it, and not the VF.
            vlan=port.get('binding:vif_details', {}).get('vlan')
            if port['binding:vif_type'] == model.VIF_TYPE_HW_VEB
            else None,
            trusted=strutils.bool_from_string(profile.get('trusted', False)),
            bound=bound,
            macvtap=port['binding:vnic_type'] == 'macvtap',
        )


def _wrong_vfs(hypervisor: Any, ports: list[_Port]) -> Iterator[str]:
    by_address = {port.address: port for port in ports}
    guests = _guests(hypervisor)
    for address, vf in hypervisor.vfs().items():
        was = hypervisor.functions.at_first[address]
        port = by_address.get(address)
        may_be = [was]
        if port is not None:
            # What it lacks may be on its way, or it is switched off.
            may_be.append(dataclasses.replace(was, trusted=port.trusted))
            if port.macvtap and not port.bound:
                may_be.append(port.on(was))
            elif port.macvtap or address in guests.get(port.server, ()):
                may_be = [port.on(was)]
        elif any(address in live for live in guests.values()):
            # Nova has given it by the flavor, or knows nothing of the guest.
            may_be = [dataclasses.replace(was, mac=vf.mac, vlan=vf.vlan)]
        if vf not in may_be:
            yield f'VF {address} must be {may_be}, is {vf}'


def _wrong_standbys(
    hypervisor: Any, ports: list[_Port], links: Any
) -> Iterator[str]:
    if links is None:
        return
    guests = _guests(hypervisor)
    carrying = {
        port
        for port in ports
        if port.address not in guests.get(port.server, {port.address})
    }
    wanted = {
        name
        for machine in list(hypervisor.machines.values())
        for name in documents.targets(machine.document)
        if name.startswith(pairs.PREFIX)
    }
    coming = {pairs.link_name(port.id) for port in ports if not port.bound}
    found = set(links.links)
    # One that came with its server is for the guest's next start.
    may_be = wanted | {pairs.link_name(port.id) for port in ports}
    if not wanted - coming <= found <= may_be:
        yield f'standbys must be {wanted}, may be {may_be}, are {found}'
    up = {name for name, link in list(links.links.items()) if link.up}
    if not up <= {pairs.link_name(port.id) for port in carrying} | coming:
        yield f'standbys {up} are up, ports {carrying} need them'
    macs = {port.mac for port in carrying} | {
        port.mac for port in ports if not port.bound
    }
    if not {mac for _, mac in links.filters} <= macs:
        yield f'filters are {links.filters}, ports {carrying} need them'


def _guests(hypervisor: Any) -> dict[str, set[str | None]]:
    """Return the devices that each running guest has, by its UUID."""
    return {
        machine.uuid: {
            documents.host_address(element)
            for element in documents.passthrough(machine.live)
        }
        for machine in list(hypervisor.machines.values())
        if machine.live is not None
    }


def _is_migrating(test: Any, server: str | None) -> bool:
    try:
        instance = objects.Instance.get_by_uuid(test.ctxt, server)
    except exception.InstanceNotFound:
        return False
    return bool(instance.task_state == task_states.MIGRATING)
