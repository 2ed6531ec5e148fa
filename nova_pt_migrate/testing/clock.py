# SPDX-License-Identifier: Apache-2.0
"""The time of the double: the real one, or one that passes by waiting."""

from collections.abc import Callable
import heapq
import itertools
import threading
import time
from typing import Protocol

Action = Callable[[], object]


class Clock(Protocol):
    """What the double needs of time."""

    def now(self) -> float:
        """Return monotonic seconds."""

    def later(self, seconds: float, action: Action) -> None:
        """Run the action once, in ``seconds`` from now."""

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds, for up to ``seconds``.

        :returns: whether it holds
        """

    def wake(self) -> None:
        """Let those who wait look at their condition again."""

    def stop(self) -> None:
        """Forget every action that has not run."""


class RealClock:
    """Real seconds; actions run in threads of their own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._timers: set[threading.Timer] = set()

    def now(self) -> float:
        return time.monotonic()

    def later(self, seconds: float, action: Action) -> None:
        timer = threading.Timer(max(seconds, 0.0), lambda: run())
        timer.daemon = True

        def run() -> None:
            with self._changed:
                if timer not in self._timers:
                    return
                self._timers.remove(timer)
            action()
            self.wake()

        with self._changed:
            self._timers.add(timer)
        timer.start()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(until, seconds)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            timers, self._timers = self._timers, set()
        for timer in timers:
            timer.cancel()


class VirtualClock:
    """Seconds that pass only while somebody waits, all of them at once.

    For tests in one thread: whoever waits runs the actions that are due.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, Action]] = []

    def now(self) -> float:
        return self._now

    def later(self, seconds: float, action: Action) -> None:
        heapq.heappush(
            self._agenda,
            (self._now + max(seconds, 0.0), next(self._order), action),
        )

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        end = self._now + seconds
        while not until():
            if not self._agenda or self._agenda[0][0] > end:
                self._now = end
                return until()
            self._now, _, action = heapq.heappop(self._agenda)
            action()
        return True

    def wake(self) -> None:
        """Nobody waits in another thread."""

    def stop(self) -> None:
        self._agenda.clear()
