# SPDX-License-Identifier: Apache-2.0
"""Work for threads of ours, in the order in which it came, urgent work first.

The threads are daemons: a process that ends waits for none of them, though
one may wait for a guest, a database or a message bus that does not answer.
"""

import collections
from collections.abc import Callable
import threading

from oslo_log import log as logging

LOG = logging.getLogger(__name__)
Work = Callable[[], None]
Lane = tuple[collections.deque[Work], ...]


class Lanes:
    """Two lanes: what is urgent never waits for what is not.

    :param name: of the threads
    :param urgent_only: there is a second thread, which does nothing else
    """

    def __init__(self, name: str, urgent_only: bool = False) -> None:
        self._changed = threading.Condition()
        self._urgent: collections.deque[Work] = collections.deque()
        self._usual: collections.deque[Work] = collections.deque()
        self._busy = 0
        self._stopped = self._forgets = False
        self._name = f'pt_migrate-{name}'
        self._all = (self._urgent, self._usual)
        self._running = False
        self._threads = [
            self._thread(lanes)
            for lanes in (
                self._all,
                *([(self._urgent,)] if urgent_only else []),
            )
        ]

    def _thread(self, lanes: Lane) -> threading.Thread:
        return threading.Thread(
            target=self._run, args=(lanes,), name=self._name, daemon=True
        )

    def start(self) -> None:
        """Begin to work, once."""
        self._running = True
        for thread in self._threads:
            thread.start()

    def put(self, work: Work, urgent: bool = False) -> bool:
        """Have something done; returns at once.

        :returns: False if nothing begins any more; it is not done
        """
        with self._changed:
            if self._forgets:
                return False
            (self._urgent if urgent else self._usual).append(work)
            self._changed.notify_all()
            if self._stopped and not self._running:
                self._running = True
                self._thread(self._all).start()
            return True

    def __len__(self) -> int:
        """Return how much waits."""
        return len(self._urgent) + len(self._usual)

    def wait(self, seconds: float) -> bool:
        """Wait until all is done; False if it was not in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (len(self) or self._busy), seconds
            )

    def stop(self, forget: bool = True) -> None:
        """End the threads; what is under way goes on to its end.

        Nothing is waited for.

        :param forget: what waits is not done, and nothing more is taken; else
            all is done that comes before the process ends
        """
        with self._changed:
            self._stopped, self._forgets = True, forget
            if forget:
                self._urgent.clear()
                self._usual.clear()
            self._changed.notify_all()

    def _run(self, lanes: Lane) -> None:
        while work := self._next(lanes):
            try:
                work()
            except Exception:
                LOG.exception('A thread of pt_migrate goes on after an error')
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()

    def _next(self, lanes: Lane) -> Work | None:
        """Wait for work; None if there is none any more."""
        with self._changed:
            self._changed.wait_for(lambda: any(lanes) or self._stopped)
            for lane in lanes:
                if lane:
                    self._busy += 1
                    return lane.popleft()
            if lanes is self._all:
                self._running = False
            return None
