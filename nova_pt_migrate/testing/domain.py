# SPDX-License-Identifier: Apache-2.0
"""A virDomain of the double: one client's handle of a domain."""

from __future__ import annotations

from collections.abc import Callable
import functools
from typing import Any
from typing import cast
from typing import TypeVar
from urllib import parse

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import client as clients
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import states

RUNNING = fakelibvirt.VIR_DOMAIN_RUNNING
PAUSED = fakelibvirt.VIR_DOMAIN_PAUSED
Method = TypeVar('Method', bound=Callable[..., Any])


def call(method: Method) -> Method:
    """Count the call, let faults meet it, and refuse a domain that left.

    A handle is of no use any more once libvirtd has ended.
    """

    @functools.wraps(method)
    def wrapper(self: Domain, *args: Any, **kwargs: Any) -> Any:
        hypervisor = self._connection.hypervisor
        with self._connection.calling(
            method.__name__, self.machine, args, kwargs
        ):
            hypervisor.check(self._life)
            if not self.machine.defined:
                raise errors.no_domain(self.machine.uuid)
            self._connection.watch(method.__name__, self.machine)
            result = method(self, *args, **kwargs)
            hypervisor.check(self._life)
            return result

    return cast(Method, wrapper)


class Domain(fakelibvirt.Domain):
    """Nova's fake domain with the devices of a real one.

    :ivar machine: what all handles of this domain share
    """

    def __init__(
        self, connection: clients.Client, machine: machines.Machine
    ) -> None:
        self.machine = machine
        self._connection = connection
        self._life = connection.hypervisor.life
        self._def = self._parse_definition(documents.text(machine.document))
        self._transient = False
        self._has_saved_state = False
        self._snapshots: dict[str, Any] = {}
        self._id = 1
        self._hotplug = connection.hotplug(machine)

    @property
    def _state(self) -> int:
        """What Nova's fake keeps in an attribute."""
        return self.machine.state

    @_state.setter
    def _state(self, state: int) -> None:
        self.machine.set_state(state, 0)

    @call
    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802
        with self.machine.lock:
            if flags & fakelibvirt.VIR_DOMAIN_XML_INACTIVE and (
                self.machine.persistent is not None
            ):
                return documents.text(self.machine.persistent)
            return documents.text(self.machine.document)

    def connect(self) -> clients.Client:
        return self._connection

    @call
    def info(self) -> Any:
        return super().info()

    @call
    def state(self, flags: int = 0) -> list[int]:
        return [self.machine.state, int(self.machine.reason)]

    @call
    def isActive(self) -> int:  # noqa: N802
        return int(self.machine.active)

    @call
    def isPersistent(self) -> int:  # noqa: N802
        return int(self.machine.persistent is not None)

    @call
    def createWithFlags(self, flags: int = 0) -> int:  # noqa: N802
        hypervisor = self._connection.hypervisor
        saved, self.machine.saved = self.machine.saved, None
        document = self.machine.document if saved is None else saved
        hypervisor.check_start(self.machine, document)
        self.machine.start(
            document,
            states.Running.BOOTED
            if saved is None
            else states.Running.RESTORED,
        )
        if flags & fakelibvirt.VIR_DOMAIN_START_PAUSED:
            self.machine.set_state(PAUSED, states.Paused.USER)
        else:
            self.machine.resumed()
        return 0

    @call
    def ID(self) -> int:  # noqa: N802
        return self.machine.number if self.machine.active else -1

    @call
    def managedSave(self, flags: int = 0) -> int:  # noqa: N802
        self.machine.save()
        return 0

    @call
    def managedSaveRemove(self, flags: int = 0) -> int:  # noqa: N802
        self.machine.saved = None
        return 0

    @call
    def hasManagedSaveImage(self, flags: int = 0) -> int:  # noqa: N802
        return int(self.machine.saved is not None)

    @call
    def suspend(self) -> int:
        self.machine.set_state(PAUSED, states.Paused.USER)
        return 0

    @call
    def resume(self) -> int:
        self.machine.set_state(RUNNING, states.Running.UNPAUSED)
        self.machine.resumed()
        return 0

    @call
    def destroy(self) -> int:
        self.machine.stop(states.Shutoff.DESTROYED)
        return 0

    @call
    def shutdown(self) -> int:
        self.machine.stop()
        return 0

    @call
    def undefine(self) -> int:
        self._connection.hypervisor.undefine(self.machine)
        return 0

    @call
    def interfaceStats(self, device: str) -> list[int]:  # noqa: N802
        return self.machine.counters(device)

    @call
    def attachDeviceFlags(self, xml: str, flags: int = 0) -> int:  # noqa: N802
        self._hotplug.attach(xml, flags)
        return 0

    @call
    def updateDeviceFlags(self, xml: str, flags: int = 0) -> int:  # noqa: N802
        self._hotplug.update(xml, flags)
        return 0

    @call
    def detachDeviceFlags(self, xml: str, flags: int = 0) -> int:  # noqa: N802
        self._hotplug.detach(xml, flags)
        return 0

    @call
    def detachDeviceAlias(  # noqa: N802
        self, alias: str, flags: int = 0
    ) -> int:
        self._hotplug.detach_alias(alias, flags)
        return 0

    @call
    def migrateToURI3(  # noqa: N802
        self, dconnuri: str, params: dict[str, Any], flags: int = 0
    ) -> int:
        self._connection.job(self.machine).migrate(
            self._connection.hypervisor,
            self._connection.peer(parse.urlparse(dconnuri).netloc),
            params,
            flags,
        )
        return 0

    @call
    def migrateStartPostCopy(self, flags: int = 0) -> int:  # noqa: N802
        self._connection.job(self.machine).start_post_copy()
        return 0

    @call
    def abortJob(self) -> int:  # noqa: N802
        self._connection.job(self.machine).abort()
        return 0

    @call
    def jobStats(self, flags: int = 0) -> dict[str, Any]:  # noqa: N802
        return self._connection.job(self.machine).stats()
