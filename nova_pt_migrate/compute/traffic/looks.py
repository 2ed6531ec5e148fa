# SPDX-License-Identifier: Apache-2.0
"""What was found of a server that is to leave, while hosts are tried.

Nova's conductor has each host that it tries ask the source anew, in one
request. Guest, libvirt and Neutron need not be asked again for each, nor may
a guest be asked as often as a cloud has hosts.
"""

from collections.abc import Callable
import threading
import time

from nova_pt_migrate.compute.traffic import readiness

LASTING = 60.0
"""Seconds from the begin of a look for which it is good."""
MOST = 100
"""Looks that are kept."""

Key = tuple[str, str]


class Looks:
    """Keeps the last looks of this host.

    :param now: gives monotonic seconds
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[Key, tuple[float, readiness.Findings]] = {}

    def of(
        self,
        request: str,
        server: str,
        look: Callable[[], readiness.Findings],
    ) -> readiness.Findings:
        """Return what was found for a request, or look now.

        What is returned is not to be changed.

        :param request: Nova's ID of the user's request
        :param server: its UUID
        :raises Exception: what the look raises; nothing is kept
        """
        begun = self._now()
        with self._lock:
            kept = self._kept.get((request, server))
        if kept and begun - kept[0] < LASTING:
            return kept[1]
        found = look()
        with self._lock:
            self._kept.pop((request, server), None)
            self._kept[request, server] = begun, found
            for oldest in list(self._kept)[:-MOST]:
                del self._kept[oldest]
        return found
