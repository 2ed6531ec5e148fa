# SPDX-License-Identifier: Apache-2.0
"""Nova's watch over a live migration begins where libvirt's begins.

Nova counts from the begin of its watch what live_migration_completion_timeout
allows and when the next step of live_migration_downtime comes. Its own unplug
is short; ours gives notice, waits for traffic to arrive on standbys, and has a
deadline of its own.
"""

from typing import Any

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.hooks import base


class MonitorHooks(base.Hooks):
    """What our driver adds to Nova's where a live migration is watched."""

    def _live_migration_monitor(
        self,
        context: Any,
        instance: Any,
        guest: Any,
        dest: str,
        post_method: Any,
        recover_method: Any,
        block_migration: bool,
        migrate_data: Any,
        future: Any,
        disk_paths: list[str],
    ) -> None:
        """Watch as Nova does, once libvirt is told to migrate, or never is.

        An abort meanwhile ends the operation (:meth:`live_migration_abort`),
        and Nova finds it ended. A forced completion is kept by Nova until
        libvirt has a job.

        :raises errors.Aborted: the departure has ended; nothing is watched
        :raises Exception: as Nova's
        """
        if our_vifs.owned_migrate_vifs(migrate_data):
            departure = self._pt.departures.of(instance.uuid)
            future.add_done_callback(lambda _ended: departure.decided.set())
            departure.decided.wait()
        super()._live_migration_monitor(
            context, instance, guest, dest, post_method, recover_method,
            block_migration, migrate_data, future, disk_paths,
        )  # fmt: skip
