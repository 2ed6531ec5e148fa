# SPDX-License-Identifier: Apache-2.0
"""Find the migrations of this host that no thread of Nova goes on with.

Those whose nova-compute ended are found when it starts again. Where a
destination could not be prepared Nova rolls back before it calls any hook of
the source; what fails in that rollback ends Nova's thread, and the server
would stay in task state ``migrating`` until nova-compute starts again.
"""

from collections.abc import Callable
from typing import Any
import weakref

from nova import objects
from nova.compute import task_states

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute import records
from nova_pt_migrate.compute.recovery import settlement
from nova_pt_migrate.compute.recovery import worker as workers

NOT_ENDED = (
    'accepted',
    'queued',
    'preparing',
    'running',
    'running (post-copy)',
)
"""Nova's own look at its start knows of ``running`` only (manager.py:994)."""


class Interrupted:
    """Hands them to the recovery worker.

    :param driver: Nova's libvirt driver on the source
    :param settlements: makes a :class:`settlement.Settlement`
    """

    def __init__(
        self,
        driver: Any,
        settlements: Callable[..., settlement.Settlement],
        worker: workers.RecoveryWorker,
    ) -> None:
        self._driver = driver
        self._settlements = settlements
        self._worker = worker
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def withhold(self, context: Any, instances: Any) -> Any:
        """Take from Nova's list at its start what was migrating from here.

        Nova would open the API on a server whose devices are out.

        :returns: the instances that Nova may initialise
        :raises nova.exception.NovaException: the database does not answer
        """
        moving = {
            migration.instance_uuid: migration
            for migration in objects.MigrationList.get_by_filters(
                context,
                {
                    'source_compute': self._driver.virtapi._compute.host,
                    'migration_type': 'live-migration',
                    'status': [*NOT_ENDED, records.ERROR],
                },
                sort_keys=['id'],
                sort_dirs=['asc'],
            )
        }
        withheld = {
            instance.uuid
            for instance in instances
            if instance.uuid in moving
            and instance.task_state == task_states.MIGRATING
            and _has_devices(instance)
        }
        for server, migration in moving.items():
            if server in withheld or (
                migration.status in NOT_ENDED
                and self._is_elsewhere(context, server)
            ):
                self._worker.add(
                    self._settlements(
                        server,
                        migration.id,
                        abort=True,
                        withheld=server in withheld,
                        accepted=migration.status == settlement.WAITING,
                    )
                )
        return objects.InstanceList(
            context,
            objects=[
                instance
                for instance in instances
                if instance.uuid not in withheld
            ],
        )

    def take_up(self, context: Any) -> None:
        """Have those settled whose rollback has failed in a living Nova.

        They are found by what Nova leaves of them in memory: it takes a
        migration from its list of those that wait when its preparation has
        succeeded (nova/compute/manager.py:9423).

        :raises nova.exception.NovaException: the database does not answer;
            what is left is taken up next time
        """
        waiting = self._driver.virtapi._compute._waiting_live_migrations
        for server, (migration, future) in list(waiting.items()):
            if future is None or not future.done() or future in self._seen:
                continue
            instance = records.find(context, server)
            if instance is None or _has_devices(instance):
                self._worker.add(
                    self._settlements(
                        server,
                        migration.id,
                        cause='its preparation failed, and so did what Nova '
                        'does then',
                    )
                )
            self._seen.add(future)

    def _is_elsewhere(self, context: Any, server: str) -> bool:
        """True for a server with PCI devices that Nova's list has not."""
        instance = records.find(context, server)
        return instance is None or bool(
            (
                instance.host != self._driver.virtapi._compute.host
                or instance.task_state is None
            )
            and _has_devices(instance)
        )


def _has_devices(instance: Any) -> bool:
    """Tell whether a server has PCI devices; asks the database if need be.

    :raises nova.exception.NovaException: the database does not answer
    """
    return bool(
        our_vifs.owned(instance.get_network_info())
        or instance.pci_requests.requests
    )
