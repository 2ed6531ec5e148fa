# SPDX-License-Identifier: Apache-2.0
"""A virConnect of the double: one client of one host's libvirt."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
from typing import Any
from typing import TYPE_CHECKING

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import calls
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import faults
from nova_pt_migrate.testing import hotplug
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import migration
from nova_pt_migrate.testing import node_device

if TYPE_CHECKING:
    from nova_pt_migrate.testing import fixture

Callback = Callable[..., None]


class Connection(fakelibvirt.Connection):
    """Nova's fake connection to a hypervisor of the double.

    :ivar hypervisor: what survives this client
    """

    def __init__(
        self,
        uri: str | None = None,
        *args: Any,
        double: fixture.LibvirtDouble,
        **kwargs: Any,
    ) -> None:
        super().__init__(uri, *args, **kwargs)
        self._double = double
        self._alive = True
        self._subscriptions: list[tuple[int, Callback, Any]] = []
        self.hypervisor: hypervisors.Hypervisor = double.hypervisor(
            self.hostname, self.pci_info.devices
        )
        self.hypervisor.listeners.append(self._emit)

    def kill(self) -> None:
        """End this client: no call of it returns, no event reaches it."""
        self._alive = False

    def again(self) -> Connection:
        """Return a new client of the same host, as after a restart."""
        return Connection(
            self._uri,
            version=self.fakeLibVersion,
            hv_version=self.fakeVersion,
            hostname=self.hostname,
            host_info=self.host_info,
            pci_info=self.pci_info,
            mdev_info=self.mdev_info,
            vdpa_info=self.vdpa_info,
            double=self._double,
        )

    def domainEventRegisterAny(  # noqa: N802
        self, dom: Any, eventid: int, callback: Callback, opaque: Any
    ) -> int:
        self._subscriptions.append((eventid, callback, opaque))
        return len(self._subscriptions) - 1

    def domainEventDeregisterAny(self, number: int) -> int:  # noqa: N802
        self._subscriptions[number] = (-1, lambda *_: None, None)
        return 0

    def defineXML(self, xml: str) -> domains.Domain:  # noqa: N802
        with self.calling('defineXML', None, (), {}):
            return domains.Domain(self, self.hypervisor.define(xml))

    def createXML(self, xml: str, flags: int) -> domains.Domain:  # noqa: N802
        with self.calling('createXML', None, (), {}):
            return domains.Domain(self, self.hypervisor.receive(xml, None))

    def lookupByUUIDString(self, uuid: str) -> domains.Domain:  # noqa: N802
        with self.calling('lookupByUUIDString', None, (), {}):
            return domains.Domain(self, self.hypervisor.find(uuid))

    def listAllDomains(  # noqa: N802
        self, flags: int = 0
    ) -> list[domains.Domain]:
        active = flags & fakelibvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
        inactive = flags & fakelibvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE
        with self.calling('listAllDomains', None, (), {}):
            return [
                domains.Domain(self, machine)
                for machine in list(self.hypervisor.machines.values())
                if machine.defined
                and (not flags or (active if machine.active else inactive))
            ]

    def nodeDeviceLookupByName(self, name: str) -> Any:  # noqa: N802
        found = super().nodeDeviceLookupByName(name)
        if isinstance(found, fakelibvirt.FakePCIDevice):
            return node_device.NodeDevice(self, found)
        return found

    @contextlib.contextmanager
    def calling(
        self,
        name: str,
        machine: machines.Machine | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        devices: tuple[str, ...] = (),
    ) -> Iterator[None]:
        """Count a call and let the faults of the double meet it.

        :param devices: what it is about, where the arguments do not tell
        :raises faults.Crash: this client was killed
        """
        if not self._alive:
            raise faults.Crash(name)
        made = calls.Call(
            name=name,
            host=self.hypervisor.name,
            domain=machine.uuid if machine else '',
            devices=devices or _devices(name, machine, args),
            flags=_flags(args, kwargs),
            at=self._double.clock.now(),
        )
        self._double.calls.add(made)
        try:
            self._double.faults.meet(made, after=False)
            yield
            self._double.faults.meet(made, after=True)
        except BaseException as exc:
            made.error = str(exc)
            raise
        if not self._alive:
            raise faults.Crash(name)

    def hotplug(self, machine: machines.Machine) -> hotplug.Hotplug:
        return hotplug.Hotplug(
            machine,
            self.hypervisor,
            self._double.settings,
            self._double.clock,
        )

    def job(self, machine: machines.Machine) -> migration.Job:
        return self._double.job(machine)

    def peer(self, host: str) -> hypervisors.Hypervisor:
        return self._double.hypervisors[host]

    def _emit(
        self, machine: machines.Machine, event: int, told: tuple[Any, ...]
    ) -> None:
        for eventid, callback, opaque in list(self._subscriptions):
            if self._alive and eventid == event and machine.defined:
                domain = domains.Domain(self, machine)
                callback(self, domain, *told, opaque)


def _devices(
    name: str, machine: machines.Machine | None, args: tuple[Any, ...]
) -> tuple[str, ...]:
    if machine is None or not args:
        return ()
    if name == 'detachDeviceAlias':
        with machine.lock:
            found = documents.find_alias(machine.document, args[0])
            return () if found is None else (documents.identity(found),)
    if name in ('attachDeviceFlags', 'detachDeviceFlags'):
        return (documents.identity(documents.parse(args[0])),)
    return ()


def _flags(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    last = kwargs.get('flags', args[-1] if args else 0)
    return last if isinstance(last, int) else 0
