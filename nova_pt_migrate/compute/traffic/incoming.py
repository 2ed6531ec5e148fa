# SPDX-License-Identifier: Apache-2.0
"""Servers on their way to this host, until their guest's CPUs run here.

From that moment the guest's frames leave here, and those to it must come here.
libvirt tells it by an event; what has to be done is known by then.
"""

from concurrent import futures
import threading

from oslo_log import log as logging

from nova_pt_migrate.compute.traffic import host_side

LOG = logging.getLogger(__name__)


class Incoming:
    """Switches the pairs of guests that begin to run here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: dict[str, host_side.HostSide] = {}
        self._executor = futures.ThreadPoolExecutor(
            max_workers=1, thread_name_prefix='pt_migrate-incoming'
        )

    def expect(self, server: str, pairs: host_side.HostSide) -> None:
        """The server with this UUID has been prepared for."""
        with self._lock:
            self._expected[server] = pairs

    def forget(self, server: str) -> None:
        """It does not come, or it is here and looked after otherwise."""
        with self._lock:
            self._expected.pop(server, None)

    def runs(self, server: str) -> None:
        """Its guest runs here now; returns at once and raises nothing."""
        with self._lock:
            pairs = self._expected.pop(server, None)
        if pairs is None:
            return
        try:
            self._executor.submit(pairs.arrive)
        except RuntimeError:
            LOG.info('nova-compute stops: server %s is not switched', server)

    def stop(self) -> None:
        """Begin nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
