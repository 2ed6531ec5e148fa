# SPDX-License-Identifier: Apache-2.0
"""Hand libvirt's device events to whoever watches the domain."""

from collections.abc import Iterator
import contextlib
import threading

from nova_pt_migrate.core import interfaces


class DeviceWatch:
    """The events of one domain since the watch began."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._events: list[interfaces.DeviceEvent] = []
        self._woken = False

    def wait(self, seconds: float) -> list[interfaces.DeviceEvent]:
        """See :meth:`core.interfaces.Watch.wait`."""
        with self._arrived:
            self._arrived.wait_for(
                lambda: bool(self._events) or self._woken, seconds
            )
            events, self._events = self._events, []
            self._woken = False
        return events

    def wake(self) -> None:
        """Let the one who waits go on, or who waits next."""
        with self._arrived:
            self._woken = True
            self._arrived.notify_all()

    def add(self, event: interfaces.DeviceEvent) -> None:
        with self._arrived:
            self._events.append(event)
            self._arrived.notify_all()


class DeviceEvents:
    """Where device events arrive, from any thread, and are given out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: list[tuple[str, DeviceWatch]] = []

    @contextlib.contextmanager
    def watch(self, domain_uuid: str) -> Iterator[DeviceWatch]:
        """Collect the domain's events until the context ends.

        Begin before the request: an event that nobody watches for is lost.
        """
        entry = (domain_uuid, DeviceWatch())
        with self._lock:
            self._watches.append(entry)
        try:
            yield entry[1]
        finally:
            with self._lock:
                self._watches.remove(entry)

    def publish(self, domain_uuid: str, event: interfaces.DeviceEvent) -> bool:
        """Give the event to each watch of the domain; True if any had it."""
        watches = self._of(domain_uuid)
        for watch in watches:
            watch.add(event)
        return bool(watches)

    def wake(self, domain_uuid: str) -> None:
        """Let those who wait for the domain's events look around."""
        for watch in self._of(domain_uuid):
            watch.wake()

    def _of(self, domain_uuid: str) -> list[DeviceWatch]:
        with self._lock:
            return [w for uuid, w in self._watches if uuid == domain_uuid]
