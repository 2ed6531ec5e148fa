# SPDX-License-Identifier: Apache-2.0
"""Carry a live migration to the end that the guest's whereabouts ask for.

Nova tells how a migration ended from libvirt's job alone. A guest that was
switched off while it was copied looks as if it had arrived, and one whose
source was not cleaned up as if it had not (driver.py:11580). So the guest is
looked for first, and no end is begun before it is found.
"""

from collections.abc import Callable
import functools
from typing import Any

from nova_pt_migrate.compute.recovery import known
from nova_pt_migrate.compute.recovery import settlement
from nova_pt_migrate.compute.recovery import worker as workers
from nova_pt_migrate.compute.server import departures


class Endings:
    """The two endings of one migration, either of which Nova may call.

    Nova's own are not called, but what they call: where that fails after the
    guest has arrived, Nova's would open the API on a server that is not whole
    (ComputeManager._post_live_migration_update_host).

    :param settlements: makes a :class:`settlement.Settlement`
    :param post: Nova's ending of a success; it holds the block device
        mappings as they were (manager.py:9440)
    """

    def __init__(
        self,
        settlements: Callable[..., settlement.Settlement],
        worker: workers.RecoveryWorker,
        departure: departures.Departure,
        post: functools.partial[Any],
    ) -> None:
        self._settlements = settlements
        self._worker = worker
        self._departure = departure
        self._source_bdms = post.keywords['source_bdms']
        self._begun = False

    @property
    def begun(self) -> bool:
        """True once Nova has told how the migration ended."""
        return self._begun

    def post(
        self,
        context: Any,
        instance: Any,
        dest: str,
        block_migration: bool = False,
        migrate_data: Any = None,
    ) -> None:
        """libvirt's job has completed."""
        self._begun = True
        self._worker.settle(self._settlement(context, instance, migrate_data))

    def recover(
        self,
        context: Any,
        instance: Any,
        dest: str,
        migrate_data: Any = None,
        migration_status: str = 'failed',
    ) -> None:
        """libvirt's job has failed or was cancelled."""
        self._begun = True
        self._worker.settle(
            self._settlement(
                context, instance, migrate_data, status=migration_status
            )
        )

    def given_up(self, context: Any, instance: Any, migrate_data: Any) -> None:
        """Nova can no longer watch the job; settle it when all is quiet."""
        self._worker.add(
            self._settlement(context, instance, migrate_data, abort=True)
        )

    def _settlement(
        self,
        context: Any,
        instance: Any,
        migrate_data: Any,
        status: str = 'failed',
        abort: bool = False,
    ) -> settlement.Settlement:
        return self._settlements(
            instance.uuid,
            migrate_data.migration.id,
            known=known.Known(context, migrate_data, self._source_bdms),
            status='cancelled' if self._departure.aborted else status,
            abort=abort,
        )
