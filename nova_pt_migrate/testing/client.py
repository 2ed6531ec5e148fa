# SPDX-License-Identifier: Apache-2.0
"""A client of one host's libvirt: each call of it is counted and may fail."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import calls
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import faults
from nova_pt_migrate.testing import hosts as all_hosts
from nova_pt_migrate.testing import hotplug
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import migration


class Client(fakelibvirt.Connection):
    """What a connection and the handles that it gives out have in common.

    :param hosts: that there are
    :ivar hypervisor: what survives this client
    """

    def __init__(
        self,
        uri: str | None = None,
        *args: Any,
        hosts: all_hosts.Hosts,
        **kwargs: Any,
    ) -> None:
        super().__init__(uri, *args, **kwargs)
        self._hosts = hosts
        self._alive = True
        self.hypervisor: hypervisors.Hypervisor = hosts.hypervisor(
            self.hostname, self.pci_info.devices
        )

    def kill(self) -> None:
        """End this client: no call of it returns, no event reaches it."""
        self._alive = False

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
            at=self._hosts.clock.now(),
        )
        self._hosts.calls.add(made)
        try:
            self.hypervisor.check()
            self._hosts.faults.meet(made, after=False)
            yield
            self._hosts.faults.meet(made, after=True)
        except BaseException as exc:
            made.error = str(exc)
            raise
        if not self._alive:
            raise faults.Crash(name)

    def watch(self, name: str, machine: machines.Machine) -> None:
        """Show a call that is about to have its effect to who watches."""
        for watch in self._hosts.watches:
            watch(name, self.hypervisor.name, machine)

    def hotplug(self, machine: machines.Machine) -> hotplug.Hotplug:
        return hotplug.Hotplug(
            machine,
            self.hypervisor,
            self._hosts.settings,
            self._hosts.clock,
        )

    def job(self, machine: machines.Machine) -> migration.Job:
        return self._hosts.job(machine)

    def peer(self, host: str) -> hypervisors.Hypervisor:
        return self._hosts.hypervisors[host]


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
