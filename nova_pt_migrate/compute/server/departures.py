# SPDX-License-Identifier: Apache-2.0
"""Departures under way on this host, so that a user's abort is honoured.

Until devices have been unplugged libvirt has no job that could be aborted.
The abort is kept here instead: it ends the wait for the guest, and is looked
at once more directly before libvirt is told to migrate. Nova watches a
departure in one thread and runs it in another; it is under way until both
have ended.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import threading
import time

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import reasons

ABORTED = reasons.Failure(
    reasons.Reason.ABORTED, 'the live migration was aborted'
)
ABORT_MOMENT = 0.2
ABORT_MOMENTS = 10


class Departure:
    """One server on its way out, from its first step to its last.

    Made in the thread in which Nova watches it.

    :param forget: called once it has ended
    :ivar stopped: it was asked to stop
    :ivar aborted: the user asked it to stop, and not Nova itself
    :ivar decided: set once libvirt is about to be told to migrate, or never
        will be
    :ivar ended: set once neither of its threads does anything more
    :ivar heard: the destination is told when the guest has stopped
    :ivar story: tells of it, once its steps begin
    :ivar released: aliases of the devices that were seen to have left
    :ivar unwatched: aliases of those that left while nobody waited
    """

    def __init__(self, forget: Callable[[], None] = lambda: None) -> None:
        self.stopped = False
        self.aborted = False
        self.heard = False
        self.decided = threading.Event()
        self.ended = threading.Event()
        self.story: phases.Reporter | None = None
        self.released: set[str] = set()
        self.unwatched: set[str] = set()
        self._forget = forget
        self._watcher = threading.get_ident()
        self._lock = threading.Lock()
        self._moving = False
        self._running = 0

    @property
    def left_late(self) -> bool:
        """True if a device left that was taken to be still in the guest.

        libvirt's event may also come after the live XML has proved the same.
        """
        return bool(self.unwatched - self.released)

    def abort(self) -> bool:
        """Ask it to stop.

        Nova does so itself, in the thread that watches, when it can watch no
        longer; that is a failure, and no abort.

        :returns: True if it will do so by itself; False if libvirt has been
            told to migrate, so that libvirt's job must be aborted
        """
        with self._lock:
            self.stopped = True
            if threading.get_ident() != self._watcher:
                self.aborted = True
            return not self._moving

    def give_up(self) -> bool:
        """Stop it as nova-compute stops, unless libvirt migrates already.

        :returns: True if it comes home by itself
        """
        with self._lock:
            if self._moving or self.ended.is_set():
                return False
            self.stopped = self.aborted = True
            return True

    def begin_move(self) -> None:
        """Note that libvirt is about to be told to migrate.

        :raises errors.Aborted: the user was faster; libvirt was told nothing
        """
        with self._lock:
            self._refuse_if_stopped()
            self._moving = True
        self.decided.set()

    def abort_job(self, abort: Callable[[], None]) -> None:
        """Abort libvirt's job, which may begin or end at any moment.

        :param abort: raises what libvirt says
        :raises Exception: as ``abort``, after it has been tried for a while
        """
        for _ in range(ABORT_MOMENTS):
            try:
                abort()
            except Exception:
                if self.ended.wait(ABORT_MOMENT):
                    return
            else:
                return
        abort()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Keep it under way for the length of the context.

        :raises errors.Aborted: it was asked to stop, or has ended
        """
        with self._lock:
            self._refuse_if_stopped()
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    self.stopped = True
                    self.ended.set()
                    self._forget()

    def _refuse_if_stopped(self) -> None:
        if self.aborted:
            raise errors.Aborted('the user aborted the live migration')
        if self.stopped:
            raise errors.Aborted('nova-compute gave the live migration up')


class Departures:
    """All departures of this host, by the server's UUID."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._departures: dict[str, Departure] = {}

    @contextlib.contextmanager
    def begin(self, server: str) -> Iterator[Departure]:
        """Keep a departure for the length of the context, at least."""
        departure = Departure(lambda: self._end(server, departure))
        with self._lock:
            self._departures[server] = departure
        with departure.running():
            yield departure

    def of(self, server: str) -> Departure:
        """Return the server's departure.

        :raises errors.Aborted: there is none under way
        """
        departure = self.under_way(server)
        if departure is None:
            raise errors.Aborted('nova-compute gave the live migration up')
        return departure

    def under_way(self, server: str) -> Departure | None:
        """Return the server's departure, if it is on its way."""
        with self._lock:
            return self._departures.get(server)

    def _end(self, server: str, departure: Departure) -> None:
        with self._lock:
            if self._departures.get(server) is departure:
                del self._departures[server]

    def give_up(
        self, wake: Callable[[str], None], seconds: float
    ) -> list[str]:
        """Have every server come home that libvirt does not migrate yet.

        :param wake: ends a wait for the server's guest
        :param seconds: how long all may take
        :returns: UUIDs of the servers that have not ended their way then
        """
        with self._lock:
            departures = dict(self._departures)
        given_up = []
        for server, departure in departures.items():
            if departure.give_up():
                wake(server)
                given_up.append(departure)
        deadline = time.monotonic() + seconds
        for departure in given_up:
            departure.ended.wait(max(deadline - time.monotonic(), 0.0))
        return [
            server
            for server, departure in departures.items()
            if not departure.ended.is_set()
        ]

    def note_unwatched(self, server: str, alias: str) -> bool:
        """Note, for the end of a departure, that a device has left.

        :returns: False if no departure is under way
        """
        departure = self.under_way(server)
        if departure is not None:
            departure.unwatched.add(alias)
        return departure is not None
