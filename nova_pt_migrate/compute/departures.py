# SPDX-License-Identifier: Apache-2.0
"""Departures under way on this host, so that a user's abort is honoured.

While devices are being unplugged libvirt has no job that could be aborted.
The abort is kept here instead: it ends the wait for the guest, and is looked
at once more directly before libvirt is told to migrate.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import threading
from typing import Any

from nova_pt_migrate.core import errors


class Departure:
    """One server on its way out, from its first step to its last.

    :ivar aborted: the user asked to abort it
    :ivar released: aliases of the devices that were seen to have left
    :ivar unwatched: aliases of those that left while nobody waited
    """

    def __init__(self) -> None:
        self.aborted = False
        self.released: set[str] = set()
        self.unwatched: set[str] = set()
        self._lock = threading.Lock()
        self._moving = False

    @property
    def left_late(self) -> bool:
        """True if a device left that was taken to be still in the guest.

        libvirt's event may also come after the live XML has proved the same.
        """
        return bool(self.unwatched - self.released)

    def abort(self) -> bool:
        """Ask it to stop.

        :returns: True if it will do so by itself; False if libvirt has been
            told to migrate, so that libvirt's job must be aborted
        """
        with self._lock:
            self.aborted = True
            return not self._moving

    def begin_move(self) -> None:
        """Note that libvirt is about to be told to migrate.

        :raises errors.Aborted: the user was faster; libvirt was told nothing
        """
        with self._lock:
            if self.aborted:
                raise errors.Aborted('the user aborted the live migration')
            self._moving = True

    def recover_by(self, recover: Callable[..., Any]) -> Callable[..., Any]:
        """Return Nova's rollback, with the status that an abort has."""

        def recover_as_asked(*args: Any, **kwargs: Any) -> Any:
            if self.aborted:
                kwargs['migration_status'] = 'cancelled'
            return recover(*args, **kwargs)

        return recover_as_asked


class Departures:
    """All departures of this host, by the server's UUID."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._departures: dict[str, Departure] = {}

    @contextlib.contextmanager
    def begin(self, server: str) -> Iterator[Departure]:
        """Keep a departure for the length of the context."""
        departure = Departure()
        with self._lock:
            self._departures[server] = departure
        try:
            yield departure
        finally:
            with self._lock:
                del self._departures[server]

    def of(self, server: str) -> Departure:
        """Return the server's departure; one apart if it has not begun."""
        return self.under_way(server) or Departure()

    def under_way(self, server: str) -> Departure | None:
        """Return the server's departure, if it is on its way."""
        with self._lock:
            return self._departures.get(server)

    def note_unwatched(self, server: str, alias: str) -> bool:
        """Note, for the end of a departure, that a device has left.

        :returns: False if no departure is under way
        """
        with self._lock:
            departure = self._departures.get(server)
            if departure is not None:
                departure.unwatched.add(alias)
            return departure is not None
