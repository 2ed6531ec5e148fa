# SPDX-License-Identifier: Apache-2.0
"""What was set on VFs of this host for servers that are not here yet.

Nova's VIF driver sets a VF up before the server comes. If it does not come
Nova undoes that with the server's VIFs as they are bound on its source, whose
addresses are devices of other servers here. So what was set up is noted by
its address on this host, and is undone by that: when Nova or the lease gives
the devices up, and at the latest before another server is given the device.

After a restart it is known from Nova's records of the devices alone.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
import dataclasses
import functools
import threading
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(eq=False)
class Entry:
    """A VF that was set up.

    :ivar server: UUID of the server that it is for
    :ivar address: PCI address on this host
    :ivar vif: that it was set up by; None if that has to be looked up
    :ivar find: looks it up; gives None if there was none
    :ivar lock: held while it is undone
    """

    server: str
    address: str
    vif: our_vifs.Vif | None = None
    find: Callable[[], our_vifs.Vif | None] = lambda: None
    lock: Any = dataclasses.field(default_factory=threading.Lock)


class Prepared:
    """All of them, by their address.

    :param unplug: undoes what Nova's VIF driver has set on the VF of a VIF
    """

    def __init__(self, unplug: Callable[[our_vifs.Vif], None]) -> None:
        self._unplug = unplug
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}

    def note(self, server: str, vifs: Iterable[our_vifs.Vif]) -> None:
        """The VIFs, as bound on this host, are about to be plugged here."""
        self._add(
            Entry(server, address, vif)
            for vif in vifs
            if (address := our_vifs.address(vif))
        )

    def recall(
        self,
        devices: Iterable[Any],
        find: Callable[[Any], our_vifs.Vif | None],
    ) -> None:
        """Note what an earlier nova-compute may have set up.

        :param devices: nova.objects.PciDevice that are set aside here
        :param find: gives the VIF that one of them is for, if any
        """
        self._add(
            Entry(
                device.instance_uuid,
                device.address,
                find=functools.partial(find, device),
            )
            for device in devices
            if device.instance_uuid
        )

    def forget(self, server: str) -> None:
        """The server is here, and what is set is its own."""
        for entry in self._of(server):
            self._drop(entry)

    def arrived(self, server: str, used: Collection[str]) -> None:
        """The server is here, with these devices; undo what others are for.

        :param used: addresses of its devices
        """
        for entry in self._of(server):
            if entry.address in used:
                self._drop(entry)
        self.take_down(server)

    def servers(self) -> set[str]:
        """Return the UUIDs of the servers that something is noted for."""
        with self._lock:
            return {entry.server for entry in self._entries.values()}

    def vifs(self, server: str) -> list[our_vifs.Vif]:
        """Return the server's VIFs as they were plugged here, if known."""
        return [entry.vif for entry in self._of(server) if entry.vif]

    def owner(self, address: str) -> str | None:
        """Return the UUID of the server that a VF was set up for, if any."""
        with self._lock:
            entry = self._entries.get(address)
        return entry.server if entry else None

    def take_down(
        self,
        server: str,
        unless: Callable[[], bool] = lambda: False,
        address: str | None = None,
    ) -> bool:
        """Undo what was set up here for a server, before it is freed.

        May be repeated, and never raises for a device.

        :param server: its UUID; its guest does not run here
        :param unless: asked before anything is undone; true keeps all. What
            is set up after it was asked is kept as well.
        :param address: of the one device that is meant, if not all are
        :returns: False if something is left; the devices must not be freed
        """
        entries = [
            entry
            for entry in self._of(server)
            if address in (None, entry.address)
        ]
        if not entries:
            return True
        if unless():
            return False
        done = [self._undo_carefully(entry) for entry in entries]
        return all(done)

    def make_way(self, server: str, address: str | None) -> None:
        """Undo what is left of another server on a VF.

        :param server: UUID of the one that it is for now
        :raises Exception: from the VIF driver; the VF is not to be used
        """
        with self._lock:
            entry = self._entries.get(address or '')
        if entry is not None and entry.server != server:
            self._undo(entry)

    def _undo_carefully(self, entry: Entry) -> bool:
        try:
            self._undo(entry)
        except Exception:
            LOG.exception(
                'Device %s was prepared for server %s, which does not come, '
                'and cannot be set back. It is tried again every '
                'claim_lease_interval, and no server gets it before.',
                entry.address, entry.server,
            )  # fmt: skip
            return False
        return True

    def _undo(self, entry: Entry) -> None:
        """Undo it, unless that is done, or it was set up anew meanwhile.

        Whoever comes second waits for the first.

        :raises Exception: as ``unplug``; it is still to be undone
        """
        with entry.lock:
            if self._is_noted(entry):
                vif = entry.vif or entry.find()
                if vif is not None:
                    self._unplug(vif)
                self._drop(entry)

    def _is_noted(self, entry: Entry) -> bool:
        with self._lock:
            return self._entries.get(entry.address) is entry

    def _drop(self, entry: Entry) -> None:
        with self._lock:
            if self._entries.get(entry.address) is entry:
                del self._entries[entry.address]

    def _add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            with self._lock:
                before = self._entries.get(entry.address, entry)
            with before.lock, self._lock:
                self._entries[entry.address] = entry

    def _of(self, server: str) -> list[Entry]:
        with self._lock:
            return [e for e in self._entries.values() if e.server == server]
