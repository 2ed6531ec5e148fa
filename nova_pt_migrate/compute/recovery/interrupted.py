# SPDX-License-Identifier: Apache-2.0
"""Take up migrations whose rollback Nova has given up.

Where a destination could not be prepared Nova rolls back before it calls any
hook of the source. What fails in that rollback ends Nova's thread, and the
server would stay in task state ``migrating`` until nova-compute starts again.
"""

from typing import Any
import weakref

from nova_pt_migrate.compute import instances
from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.recovery import settlement
from nova_pt_migrate.compute.recovery import worker


class GivenUp:
    """Finds them by what Nova leaves of them in memory.

    Nova takes a migration from its list of those that wait when its
    preparation has succeeded (nova/compute/manager.py:9423).

    :param driver: Nova's libvirt driver on the source
    """

    def __init__(self, driver: Any, settles: worker.Settling) -> None:
        self._driver = driver
        self._settling = settles
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def look(self, context: Any) -> None:
        """Have those settled that were not seen before.

        :raises nova.exception.NovaException: the database does not answer;
            what is left is looked at next time
        """
        waiting = self._driver.virtapi._compute._waiting_live_migrations
        for server, (migration, future) in list(waiting.items()):
            if future is None or not future.done() or future in self._seen:
                continue
            instance = instances.find(context, server)
            if instance is None or our_vifs.owned(instance.get_network_info()):
                self._settling.add(
                    settlement.Unsettled(
                        self._driver,
                        server,
                        migration.id,
                        cause='its preparation failed, and so did what Nova '
                        'does then',
                    )
                )
            self._seen.add(future)
