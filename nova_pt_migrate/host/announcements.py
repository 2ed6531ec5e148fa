# SPDX-License-Identifier: Apache-2.0
"""Tell switches where an address is, as often as QEMU does.

A frame may be lost, and a port that has just come up passes none for a moment.
What is told must not be told any more when the address has gone elsewhere.
"""

from collections.abc import Callable
import threading

from oslo_log import log as logging

LOG = logging.getLogger(__name__)
GAPS = (0.05, 0.15, 0.25, 0.35)
"""Seconds after each frame until the next one.

By default QEMU sends five, at 0, 50, 200, 450 and 800 ms (migration/options.c,
"announce-initial", "announce-step"; net/announce.c).
"""
Send = Callable[[], None]


class Announcements:
    """Those that are under way on this host.

    :param wait: waits for an event for so many seconds; True if it came
    """

    def __init__(
        self,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._wait = wait
        self._lock = threading.Lock()
        self._ends: dict[str, threading.Event] = {}

    def begin(self, standby: str, what: str, send: Send) -> None:
        """Send a frame, and others when it is time; raises nothing.

        Those that are under way for the same standby are ended.

        :param standby: name of its netdev
        :param what: is told, for the log
        :param send: sends a frame; raises OSError
        """
        end = threading.Event()
        with self._lock:
            before = self._ends.get(standby)
            self._ends[standby] = end
        if before is not None:
            before.set()
        try:
            send()
        except OSError as exc:
            LOG.warning(
                'Switches are not told where standby %s is: %s failed: %s. '
                'Until its guest sends they give its frames to where it was.',
                standby, what, exc,
            )  # fmt: skip
        threading.Thread(
            target=self._go_on,
            args=(standby, what, send, end),
            name='pt_migrate-announcements',
            daemon=True,
        ).start()

    def end(self, standby: str) -> None:
        """Send no more for a standby; one frame may be under way."""
        with self._lock:
            end = self._ends.pop(standby, None)
        if end is not None:
            end.set()

    def _go_on(
        self, standby: str, what: str, send: Send, end: threading.Event
    ) -> None:
        for gap in GAPS:
            if self._wait(end, gap):
                return
            try:
                send()
            except OSError as exc:
                LOG.debug('%s failed again: %s', what, exc)
        with self._lock:
            if self._ends.get(standby) is end:
                del self._ends[standby]
