# SPDX-License-Identifier: Apache-2.0
"""Servers that this host was prepared for, and that do not come.

Nova counts a preparation as a task until the source has it end or clear what
it prepared (nova/compute/manager.py:9082). Where a migration fails and the
source does not, which is so where both share the instance path, it counts on
for ever, and nova-compute waits for it whenever it is told to stop.
"""

from collections.abc import Callable
import threading
from typing import Any

from nova.objects import fields
from oslo_log import log as logging

from nova_pt_migrate.compute import records

LOG = logging.getLogger(__name__)


class Arrivals:
    """Servers with devices of ours that may be on their way.

    :param compute: gives nova.compute.manager.ComputeManager of this host
    """

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._expected: set[str] = set()

    def expect(self, server: str) -> None:
        """Take down that this host was prepared for a server.

        :param server: its UUID
        """
        with self._lock:
            self._expected.add(server)

    def check(self, context: Any) -> None:
        """End Nova's tasks of those that do not come any more.

        Asks the database for servers only that Nova counts.

        :raises nova.exception.NovaException: the database does not answer;
            it is tried again at the next look
        """
        compute = self._compute()
        with self._lock:
            expected = sorted(self._expected)
        for server in expected:
            counted = server in compute._pending_dest_live_migrations
            if counted and _may_come(context, server, compute.host):
                continue
            if counted:
                LOG.info(
                    'Server %s does not come; its live migration to this '
                    'host has ended', server,
                )  # fmt: skip
                compute._end_pending_dest_live_migration_task(server)
            with self._lock:
                self._expected.discard(server)


def _may_come(context: Any, server: str, host: str) -> bool:
    instance = records.find(context, server)
    if instance is None:
        return False
    return any(
        migration.migration_type == fields.MigrationType.LIVE_MIGRATION
        and migration.dest_compute == host
        for migration in records.under_way(context, instance)
    )
