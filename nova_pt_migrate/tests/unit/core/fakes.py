# SPDX-License-Identifier: Apache-2.0
"""A domain, its wiring and a clock, all without time passing."""

from collections.abc import Iterator
import contextlib

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model


def device(number: int) -> model.Device:
    return model.Device(
        address=f'0000:81:10.{number}',
        port=f'port-{number}',
        xml=f'<wanted number="{number}"/>',
    )


def found_device(number: int) -> model.FoundDevice:
    return model.FoundDevice(
        address=f'0000:81:10.{number}',
        xml=f'<kept number="{number}"/>',
        alias=f'hostdev{number}',
    )


class Domain:
    """A guest that does with each request what the test says.

    :param live: numbers of the devices that it has
    :param answers: by alias: seconds from the request to the release, or
        None for a guest that keeps the device and says so, or an error that
        libvirt answers with, once
    """

    def __init__(
        self,
        live: list[int],
        answers: dict[str, float | None | errors.HostError] | None = None,
    ) -> None:
        self.now = 0.0
        self.live = {found_device(n).address: found_device(n) for n in live}
        self.answers = answers or {}
        self.requests: list[tuple[float, str]] = []
        self.plugged: list[tuple[str, bool, float]] = []
        self.plug_errors: dict[str, errors.HostError] = {}
        self.kept: list[str] = []
        self.observe_errors: list[errors.HostError] = []
        self.silent = False
        self.targets: dict[str, str] = {}
        self.unlinked: set[str] = set()
        self._agenda: list[tuple[float, interfaces.DeviceEvent]] = []

    def clock(self) -> float:
        return self.now

    def observe(self) -> model.Found:
        if self.observe_errors:
            raise self.observe_errors.pop()
        return model.Found(
            True,
            1.0,
            dict(self.live),
            {},
            targets=self.targets,
            unlinked=frozenset(self.unlinked),
        )

    @contextlib.contextmanager
    def watch(self) -> Iterator['Domain']:
        yield self

    def request_unplug(self, alias: str) -> None:
        self.requests.append((self.now, alias))
        answer = self.answers.get(alias, 1.0)
        if isinstance(answer, errors.HostError):
            self.answers[alias] = 1.0
            raise answer
        if answer is None:
            self._agenda.append(
                (self.now, interfaces.DeviceEvent(alias, False))
            )
        else:
            self._agenda.append(
                (self.now + answer, interfaces.DeviceEvent(alias, True))
            )

    def release(self, at: float, alias: str) -> None:
        """Let the guest release a device that it was not asked for."""
        self._agenda.append((at, interfaces.DeviceEvent(alias, True)))

    def wake(self, at: float) -> None:
        """Let who waits look around; nothing has happened to a device."""
        self._agenda.append((at, interfaces.DeviceEvent('none', False)))

    def wait(self, seconds: float) -> list[interfaces.DeviceEvent]:
        until = self.now + seconds
        due = [entry for entry in self._agenda if entry[0] <= until]
        if not due:
            self.now = until
            return []
        at = min(due)[0] if len(due) == 1 else min(e[0] for e in due)
        self.now = max(self.now, at)
        events = [event for when, event in due if when == at]
        self._agenda = [e for e in self._agenda if e[1] not in events]
        for event in events:
            if event.removed:
                self._remove(event.alias)
        return [] if self.silent else events

    def plug(self, xml: str, persist: bool, seconds: float) -> None:
        if xml in self.plug_errors:
            raise self.plug_errors[xml]
        self.plugged.append((xml, persist, seconds))

    def keep(self, xml: str) -> None:
        if xml in self.plug_errors:
            raise self.plug_errors[xml]
        self.kept.append(xml)

    def set_link(self, target: str, up: bool) -> None:
        (self.unlinked.discard if up else self.unlinked.add)(target)

    def sent(self, target: str) -> int:
        raise NotImplementedError('the core does not ask for it')

    def forget(self, address: str) -> None:
        raise NotImplementedError('the core does not ask for it')

    def exchange(self, address: str, xml: str) -> str | None:
        raise NotImplementedError('the core does not ask for it')

    def _remove(self, alias: str) -> None:
        self.live = {
            address: found
            for address, found in self.live.items()
            if found.alias != alias
        }


class Wiring:
    """Remembers what was connected and disconnected."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.errors: dict[str, errors.HostError] = {}

    def connect(self, device: model.Device) -> None:
        if device.port in self.errors:
            raise self.errors[device.port]
        self.calls.append(('connect', device.port))

    def disconnect(self, device: model.Device) -> None:
        self.calls.append(('disconnect', device.port))
