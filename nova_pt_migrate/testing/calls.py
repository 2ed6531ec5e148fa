# SPDX-License-Identifier: Apache-2.0
"""The calls that libvirt got, so that tests can count what really happened."""

from collections.abc import Iterator
import dataclasses
import threading


@dataclasses.dataclass(slots=True)
class Call:
    """One call, from its begin.

    :ivar name: the method of virDomain or virConnect
    :ivar host: the host whose libvirt was called
    :ivar domain: UUID, or empty
    :ivar devices: what it was about: host PCI addresses; of a device that
        has none the MAC address or the target
    :ivar flags: libvirt's
    :ivar at: clock's seconds when it began
    :ivar error: what it raised
    """

    name: str
    host: str
    domain: str
    devices: tuple[str, ...]
    flags: int
    at: float
    error: str | None = None


class Calls:
    """All calls since the begin or the last :meth:`clear`, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def clear(self) -> None:
        with self._lock:
            self._calls = []

    def __iter__(self) -> Iterator[Call]:
        with self._lock:
            return iter(list(self._calls))

    def of(
        self, *names: str, host: str | None = None, device: str | None = None
    ) -> list[Call]:
        """Return the calls with one of these names, at that host, for it."""
        return [
            call
            for call in self
            if call.name in names
            and host in (None, call.host)
            and (device is None or device in call.devices)
        ]
