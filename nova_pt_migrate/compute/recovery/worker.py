# SPDX-License-Identifier: Apache-2.0
"""A thread that looks again at what could not be ended at once.

Migrations of this host whose nova-compute was interrupted, or whose end could
not be told or carried through, are settled here; meanwhile the server stays
in task state ``migrating``, so that the API is closed for it.
"""

from collections.abc import Callable
from collections.abc import Mapping
import threading
import time
from typing import Any

from nova import context as nova_context
from oslo_log import log as logging

from nova_pt_migrate.compute.recovery import settlement
from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.core import errors

LOG = logging.getLogger(__name__)
SOON = 0.5
"""Seconds to the second look; each further one comes after twice as long."""
MOMENT = 0.1
"""Seconds between two looks at what libvirt is about to end."""
PATIENCE = 1.0
"""Seconds after which such looks are left to the thread; in one of them a
host may be waited for that does not answer.
"""
_FAILED = '%s failed; it is tried again'


class RecoveryWorker:
    """Looks at unsettled migrations until there are none.

    :param owners: tell what is under way with a server
    :param interval: the longest time between two looks, in seconds
    :param ready: tells whether Nova has its resource tracker
    :param chores: called once an interval, each on its own, by what it does
    :param now: gives monotonic seconds
    :ivar chores: the same
    """

    def __init__(
        self,
        owners: owner.Owners,
        interval: float,
        ready: Callable[[], bool],
        chores: Mapping[str, Callable[[Any], None]] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._owners = owners
        self._interval = interval
        self._ready = ready
        self._now = now
        self.chores = dict(chores or {})
        self._lock = threading.Lock()
        self._left: dict[str, settlement.Settlement] = {}
        self._wake = threading.Event()
        self._stopped = False
        self._moment = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name='pt_migrate-settling', daemon=True
        )

    def start(self) -> None:
        """Begin to look; the tracker is waited for."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further look; one that is under way goes on to its end."""
        self._stopped = True
        self._moment.set()
        self._wake.set()

    def settle(self, migration: settlement.Settlement) -> None:
        """Settle a migration now if that can be, and later otherwise.

        libvirt ends its job a moment after it has told the job's result, so
        it is given that moment.
        """
        context = nova_context.get_admin_context()
        until = self._now() + PATIENCE
        while True:
            try:
                if migration.settle(context):
                    return
            except Exception:
                LOG.exception(_FAILED, migration.what)
                break
            if self._now() >= until or self._moment.wait(MOMENT):
                break
        self.add(migration)

    def add(self, migration: settlement.Settlement) -> None:
        """Settle a migration as soon as it can be."""
        LOG.info(
            'The live migration of server %s is not settled; it is '
            'checked until it is.', migration.server,
        )  # fmt: skip
        with self._lock:
            self._left[migration.server] = migration
        self._wake.set()

    def left(self) -> list[str]:
        """Return the servers whose migrations are not settled, by UUID."""
        with self._lock:
            return sorted(self._left)

    def has(self, server: str) -> bool:
        """True while the server has a migration to be settled."""
        with self._lock:
            return server in self._left

    def _run(self) -> None:
        pause = SOON
        while not self._stopped:
            woken = self._wake.wait(pause)
            self._wake.clear()
            if self._stopped or not self._ready():
                continue
            pause = SOON if woken else min(2 * pause, self._interval)
            context = nova_context.get_admin_context()
            self._settle_all(context)
            if pause == self._interval:
                for what, chore in self.chores.items():
                    _carefully(what, chore, context)

    def _settle_all(self, context: Any) -> None:
        with self._lock:
            todo = list(self._left.values())
        for migration in todo:
            try:
                with self._owners.settling(
                    migration.server, 'the end of a live migration'
                ):
                    settled = _carefully(
                        migration.what, migration.settle, context
                    )
            except errors.NotOurTurn:
                continue
            if settled:
                with self._lock:
                    if self._left.get(migration.server) is migration:
                        del self._left[migration.server]


def _carefully(what: str, chore: Callable[[Any], Any], context: Any) -> Any:
    """Look, and let no error end the thread; the next look tries again."""
    try:
        return chore(context)
    except Exception:
        LOG.exception(_FAILED, what)
        return None
