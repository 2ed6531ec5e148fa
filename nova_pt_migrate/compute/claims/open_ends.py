# SPDX-License-Identifier: Apache-2.0
"""Servers of which something may be left on this host, and when to look."""

from collections.abc import Callable
import dataclasses
import threading
import time

LONGEST = 300.0
"""Seconds after which a server is looked at again that failed each time."""


@dataclasses.dataclass
class _End:
    """One server.

    :ivar due: when it is looked at, by the clock
    :ivar number: of the last time that it was noted
    :ivar looks: how often it was put off since
    """

    due: float
    number: int
    looks: int = 0


class OpenEnds:
    """May be used by any thread; asks nobody.

    :param interval: seconds until a server is looked at again
    :param clock: seconds that only grow
    """

    def __init__(
        self, interval: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[str, _End] = {}
        self._noted = 0

    def note(self, server: str, after: float = 0.0) -> None:
        """Have a server looked at, though it was put off.

        :param server: its UUID
        :param after: seconds to wait
        """
        with self._lock:
            self._noted += 1
            self._ends[server] = _End(self._clock() + after, self._noted)

    def has(self, server: str) -> bool:
        """True while a server is to be looked at, now or later."""
        with self._lock:
            return server in self._ends

    def due(self) -> list[tuple[str, int]]:
        """Return the servers to be looked at now, each with its note."""
        now = self._clock()
        with self._lock:
            return sorted(
                (server, end.number)
                for server, end in self._ends.items()
                if end.due <= now
            )

    def end(self, server: str, number: int) -> None:
        """Nothing is left of it, unless it was noted again meanwhile."""
        with self._lock:
            if self._is_last(server, number):
                del self._ends[server]

    def put_off(self, server: str, number: int) -> None:
        """Look at it later, after twice as long as the last time."""
        with self._lock:
            if self._is_last(server, number):
                end = self._ends[server]
                pause = min(self._interval * 2**end.looks, LONGEST)
                end.due = self._clock() + pause
                end.looks += 1

    def _is_last(self, server: str, number: int) -> bool:
        end = self._ends.get(server)
        return end is not None and end.number == number
