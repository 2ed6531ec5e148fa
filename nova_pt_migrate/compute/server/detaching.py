# SPDX-License-Identifier: Apache-2.0
"""Ports that Nova is detaching while a live migration may be asked for.

Nova sets no task state for a detach, and a guest may take minutes to release
a device. A server that left meanwhile would take along a port that is free
before it arrives, and Neutron lets nobody delete the binding of a free port
(its _validate_port_supports_multiple_bindings). So it does not leave.
"""

from collections.abc import Iterable
import threading

from nova_pt_migrate.compute.server import port_locks


class Detaching:
    """What the hook has begun, until Nova is done with the port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: set[tuple[str, str]] = set()

    def begin(self, server: str, port: str) -> None:
        """Take down that a port is about to leave; its lock is held.

        :param server: its UUID
        :param port: its UUID
        """
        with self._lock:
            self._begun.add((server, port))

    def under_way(self, server: str, ports: Iterable[str]) -> list[str]:
        """Return which of a server's ports are still being detached.

        Nova holds the lock of a port until it has told Neutron.
        """
        with self._lock:
            left = [port for port in ports if (server, port) in self._begun]
            busy = [port for port in left if _is_locked(server, port)]
            self._begun -= {(server, port) for port in {*left} - {*busy}}
        return busy


def _is_locked(server: str, port: str) -> bool:
    """True while Nova attaches or detaches it."""
    try:
        with port_locks.lock(server, port):
            return False
    except port_locks.Held:
        return True
