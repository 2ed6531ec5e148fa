# SPDX-License-Identifier: Apache-2.0
"""What this host has for servers that are not here, for all it knows.

It is seen in the tracker's memory and in sysfs; nobody is asked. What a look
has found in order stays in order as long as it is the same.
"""

from typing import Any

from nova_pt_migrate.compute.claims import left_standbys
from nova_pt_migrate.compute.claims import open_ends
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import prepared as prepared_vfs

What = frozenset[object]


class Unexplained:
    """Notes servers whenever something new is here for them.

    :param prepared: what was set up on its devices
    :param standbys: the netdevs of this host
    :param ends: where servers are noted
    """

    def __init__(
        self,
        prepared: prepared_vfs.Prepared,
        standbys: left_standbys.LeftStandbys,
        ends: open_ends.OpenEnds,
    ) -> None:
        self._prepared = prepared
        self._standbys = standbys
        self._ends = ends
        self._before: dict[str, What] = {}
        self._explained: dict[str, What | None] = {}

    def note(self, tracker: Any) -> None:
        """Note those servers.

        :param tracker: nova.compute.resource_tracker.ResourceTracker
        """
        found, before = self._find(tracker), self._before
        for server, what in found.items():
            if before.get(server) != what or not (
                self._explained.get(server) == what or self._ends.has(server)
            ):
                self._ends.note(server)
        self._before = found
        self._explained = {
            server: what
            for server, what in self._explained.items()
            if server in found
        }

    def explain(self, tracker: Any, server: str) -> None:
        """What is here for a server now is in order."""
        self._explained[server] = self._find(tracker).get(server)

    def _find(self, tracker: Any) -> dict[str, What]:
        found: dict[str, What] = {
            server: frozenset(devices)
            for server, devices in pci_tracker.unexplained(tracker).items()
        }
        standbys = self._standbys.servers()
        for server in pci_tracker.away(tracker, standbys):
            found[server] = found.get(server, frozenset()) | standbys[server]
        for server in self._prepared.servers():
            found[server] = found.get(server, frozenset()) | {'prepared'}
        return found
