# SPDX-License-Identifier: Apache-2.0
"""Which of libvirt's device events are about devices of ours.

They come for each disk, NIC and device of each server of the host, most of
them since Nova has asked. What is not ours costs a comparison in memory.
"""

import threading
from typing import Any

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import healing
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.host import events

ALIAS = 'hostdev'
"""What libvirt's names of pass-through devices begin with, NICs included.

(src/qemu/qemu_alias.c, qemuAssignDeviceNetAlias); nobody names ours otherwise.
"""


class Removals:
    """Hands the events of our devices to those who have to do with them.

    :param device_events: has those who wait for a device
    :param departing: in whose end devices that leave late are seen to
    :param healer: plugs a device that has left by itself
    """

    def __init__(
        self,
        device_events: events.DeviceEvents,
        departing: departures.Departures,
        healer: healing.Healer,
    ) -> None:
        self._events = device_events
        self._departing = departing
        self._healer = healer
        self._lock = threading.Lock()
        self._servers: set[str] = set()

    def expect(self, server: str, network_info: Any) -> None:
        """Note a server that has, or is to have, these VIFs on this host."""
        if our_vifs.owned(network_info):
            with self._lock:
                self._servers.add(server)

    def forget(self, server: str) -> None:
        """The server has no device on this host any more."""
        with self._lock:
            self._servers.discard(server)

    def has(self, server: str) -> bool:
        """Tell whether the server may have devices of ours on this host."""
        with self._lock:
            return server in self._servers

    def take(self, server: str, event: interfaces.DeviceEvent) -> bool:
        """Take an event of a domain; returns at once and raises nothing.

        :returns: True if one of us has waited for it
        """
        if not self.has(server) or not event.alias.startswith(ALIAS):
            return False
        if self._events.publish(server, event):
            return True
        if event.removed and not self._departing.note_unwatched(
            server, event.alias
        ):
            self._healer.check_soon(server)
        return False
