# SPDX-License-Identifier: Apache-2.0
"""Carry a live migration to the end that the guest's whereabouts ask for.

Nova tells how a migration ended from libvirt's job alone. A guest that was
switched off while it was copied looks as if it had arrived, and one whose
source was not cleaned up as if it had not (driver.py:11580). So the guest is
looked for first, and no end is begun before it is found.
"""

from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import departures
from nova_pt_migrate.compute import settling as settlings
from nova_pt_migrate.compute import unsettled

LOG = logging.getLogger(__name__)


class Endings:
    """Nova's two endings of one migration, either of which may be called.

    :param post: ComputeManager._post_live_migration_update_host, as Nova
        passes it
    :param recover: ComputeManager._rollback_live_migration, likewise
    """

    def __init__(
        self,
        driver: Any,
        settling: settlings.Settling,
        departure: departures.Departure,
        post: Callable[..., Any],
        recover: Callable[..., Any],
    ) -> None:
        self._driver = driver
        self._settling = settling
        self._departure = departure
        self._post = post
        self._recover = recover
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
        self._settling.settle(
            self._unsettled(
                context, instance, dest, block_migration, migrate_data
            )
        )

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
        self._settling.settle(
            self._unsettled(
                context, instance, dest, migrate_data.block_migration,
                migrate_data, status=migration_status,
            )
        )  # fmt: skip

    def given_up(
        self,
        context: Any,
        instance: Any,
        dest: str,
        block_migration: bool,
        migrate_data: Any,
    ) -> None:
        """Nova can no longer watch the job; settle it when all is quiet."""
        self._settling.add(
            self._unsettled(
                context, instance, dest, block_migration, migrate_data,
                abort=True,
            )
        )  # fmt: skip

    def _unsettled(
        self,
        context: Any,
        instance: Any,
        dest: str,
        block_migration: bool,
        migrate_data: Any,
        status: str = 'failed',
        abort: bool = False,
    ) -> unsettled.Unsettled:
        return unsettled.Unsettled(
            self._driver,
            instance.uuid,
            migrate_data.migration.id,
            finish=lambda: self._post(
                context, instance, dest, block_migration, migrate_data
            ),
            roll_back=lambda status: self._recover(
                context, instance, dest, migrate_data,
                migration_status=status,
            ),
            status='cancelled' if self._departure.aborted else status,
            abort=abort,
        )  # fmt: skip
