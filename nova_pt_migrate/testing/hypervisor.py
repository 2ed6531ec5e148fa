# SPDX-License-Identifier: Apache-2.0
"""One compute host's libvirt: its domains, its devices, its clients."""

from collections.abc import Callable
from collections.abc import Iterable
import threading
from typing import Any

from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import functions
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import reconnect
from nova_pt_migrate.testing import settings as double_settings
from nova_pt_migrate.testing import states

VFIO = 'vfio-pci'
Listener = Callable[[machines.Machine, int, tuple[Any, ...]], None]


class Hypervisor:
    """What survives a restart of nova-compute.

    :param name: of the host
    :param devices: gives the node devices of the host by libvirt's names
        (``pci_0000_81_00_1``), as Nova's HostPCIDevicesInfo has them
    :ivar life: how often libvirtd has ended
    :ivar functions: the VFs of the host
    """

    def __init__(
        self,
        name: str,
        settings: double_settings.Settings,
        clock: clocks.Clock,
        devices: dict[str, Any],
    ) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.machines: dict[str, machines.Machine] = {}
        self.listeners: list[Listener] = []
        self.life = 0
        self._up = True
        self._settings = settings
        self._clock = clock
        self._devices = devices
        self._detached: set[str] = set()
        self.functions = functions.Functions(_vfs(devices.values()))

    def define(self, xml: str) -> machines.Machine:
        """Make a domain, or change the persistent XML of one."""
        uuid = documents.parse(xml).findtext('./uuid')
        with self.lock:
            known = self.machines.get(str(uuid))
            if known is not None and known.defined:
                known.define(xml)
                return known
            new = machines.Machine(
                xml, self._settings, self._clock, self._emit
            )
            self.machines[new.uuid] = new
            return new

    def check(self, life: int | None = None) -> None:
        """Raise what a client gets that cannot reach libvirtd.

        :param life: of the libvirtd that it is connected with; any if None
        :raises libvirtError: it has ended
        """
        if not self._up or life not in (None, self.life):
            raise errors.disconnected()

    def end_libvirtd(self) -> None:
        """End libvirtd; guests go on, handles of clients are of no use.

        Nova's Host connects again by itself when it is asked next; here the
        connection object stays the same.
        """
        self._up = False
        self.life += 1
        self._clock.wake()

    def start_libvirtd(self) -> None:
        """Let it find the guests again, and end what was under way."""
        with self.lock:
            known = list(self.machines.values())
        for machine in known:
            reconnect.recover(machine)
            if not machine.defined:
                self.undefine(machine)
        self._up = True
        self._clock.wake()

    def restart_libvirtd(self) -> None:
        """End it, and start it again at once."""
        self.end_libvirtd()
        self.start_libvirtd()

    def prepare(self, live: str) -> machines.Machine:
        """Start QEMU for a guest that migrates to this host.

        It has no persistent document before the migration is finished.

        :raises libvirtError: a guest of it is active, or there is no libvirtd
        """
        self.check()
        document = documents.parse(live)
        uuid = str(document.findtext('./uuid'))
        with self.lock:
            known = self.machines.get(uuid)
            if known is not None and known.active:
                raise errors.invalid(
                    f"domain '{known.name}' is already active"
                )
            if known is None or not known.defined:
                known = machines.Machine(
                    live, self._settings, self._clock, self._emit
                )
                known.persistent = None
                self.machines[uuid] = known
        known.wait_for_memory(document)
        return known

    def receive(self, live: str, persistent: str | None) -> machines.Machine:
        """Run a guest that has migrated to this host, or a transient one."""
        arrived = self.prepare(live)
        if persistent is not None:
            arrived.define(persistent)
        arrived.memory = states.Memory.WHOLE
        arrived.end_job()
        arrived.run_migrated()
        return arrived

    def undefine(self, machine: machines.Machine) -> None:
        with self.lock:
            machine.defined = False
            self.machines.pop(machine.uuid, None)

    def find(self, uuid: str) -> machines.Machine:
        with self.lock:
            found = self.machines.get(uuid)
        if found is None or not found.defined:
            raise errors.no_domain(uuid)
        return found

    def user_of(self, address: str | None) -> str | None:
        """Return the name of the running domain that has the device."""
        if address is None:
            return None
        with self.lock:
            known = list(self.machines.values())
        for machine in known:
            live = machine.live
            if live is not None and address in map(
                documents.host_address, documents.passthrough(live)
            ):
                return machine.name
        return None

    def vfs(self) -> dict[str, functions.Vf]:
        """Return all VFs as the kernel shows them now, by PCI address."""
        with self.lock:
            known = list(self.machines.values())
        users: list[documents.Element] = []
        for machine in known:
            with machine.lock:
                if machine.live is not None:
                    users += documents.passthrough(machine.live)
        return self.functions.show(users)

    def detach(self, address: str) -> None:
        """Take a device from the host's driver, for VFIO.

        It stays so after a guest has had it, as it does with libvirt.
        """
        self._check_unused(address)
        with self.lock:
            self._detached.add(address)

    def reattach(self, address: str) -> None:
        """Give a device back to the host's driver."""
        self._check_unused(address)
        with self.lock:
            self._detached.discard(address)

    def driver_of(self, address: str, usual: str) -> str | None:
        """Return the driver that a device has now.

        :param usual: what it has while nobody wants it for a guest
        """
        if self.user_of(address):
            return VFIO
        if address not in self._detached:
            return usual
        unbindable = (self.name, address) in self._settings.unbindable
        return None if unbindable else VFIO

    def _check_unused(self, address: str) -> None:
        user = self.user_of(address)
        if user:
            raise errors.in_use(address, user)

    def check_device(self, element: documents.Element) -> None:
        """Raise what libvirt does for a device that the host lacks."""
        address = documents.host_address(element)
        if address is None:
            return
        domain, bus, rest = address.split(':')
        slot, function = rest.split('.')
        device = self._devices.get(f'pci_{domain}_{bus}_{slot}_{function}')
        if element.tag == 'interface':
            if device is None or 'phys_function' not in device.pci_device:
                raise errors.unsupported(
                    'Interface type hostdev is currently supported on SR-IOV '
                    'Virtual Functions only'
                )
        elif device is None:
            raise errors.internal(
                f'Device {address} not found: could not access '
                f'/sys/bus/pci/devices/{address}/config: No such file or '
                f'directory'
            )

    def check_start(
        self, machine: machines.Machine, document: documents.Element
    ) -> None:
        """Raise if a device of the document to start cannot be had."""
        if machine.active:
            raise errors.invalid('domain is already running')
        for element in documents.passthrough(document):
            self.check_device(element)
            self._check_unused(str(documents.host_address(element)))

    def _emit(
        self, machine: machines.Machine, event: int, told: tuple[Any, ...]
    ) -> None:
        for listener in list(self.listeners):
            listener(machine, event, told)


def _vfs(devices: Iterable[Any]) -> dict[str, list[str]]:
    """Return the VFs of each PF, by their PCI addresses."""
    found: dict[str, list[str]] = {}
    for device in devices:
        if device.dev_type == 'VF':
            bus, slot, function = device.parent
            parent = f'0000:{bus:02x}:{slot:02x}.{function:x}'
            found.setdefault(parent, []).append(device.address)
    return found
