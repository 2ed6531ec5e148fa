# SPDX-License-Identifier: Apache-2.0
"""Waits for what Nova does, with deadlines that a busy machine keeps.

Nova's own helpers give up after five seconds, and look twice a second.
"""

from collections.abc import Callable
from collections.abc import Collection
import time
from typing import Any

from nova import objects
from nova import test
from nova.tests.functional.api import client as api_client

PATIENCE = 180.0
"""Seconds after which to say what was waited for; the limit comes later."""
LOOK = 0.05
FINAL = {'completed', 'failed', 'cancelled'}
ENDED = {*FINAL, 'error'}
"""Nova rolls a failed preparation back in ``error`` before it is failed."""


class Waiting(test.TestCase):
    """To be put before Nova's classes."""

    ctxt: Any
    api: Any
    computes: dict[str, Any]
    processes: Any

    def wait_for(
        self,
        until: Callable[[], Any],
        what: str,
        shown: object = '',
        look: float = LOOK,
        patience: float = PATIENCE,
    ) -> Any:
        """Wait until there is something true, and return it.

        :param shown: what to show if that never happens
        :param look: seconds between two looks
        :param patience: seconds after which that is taken for never
        """
        deadline = time.monotonic() + patience
        while not (found := until()):
            if time.monotonic() > deadline:
                self.fail(f'waited {patience:g} s in vain for {what} {shown}')
            time.sleep(look)
        return found

    def migrations(self, server: dict[str, Any]) -> list[str]:
        """Return the status of each migration of the server, oldest first."""
        found = self.api.api_get(
            f'/os-migrations?instance_uuid={server["id"]}'
        ).body['migrations']
        return [m['status'] for m in sorted(found, key=lambda m: m['id'])]

    def is_ended(
        self,
        server: dict[str, Any],
        known: int,
        ends: Collection[str] = ENDED,
    ) -> bool:
        """Tell whether there are more migrations than known, and all ended.

        Asks the database, which is much cheaper than the API.

        :param ends: the statuses with which those that are new may end
        """
        migrations = objects.MigrationList.get_by_filters(
            self.ctxt, {'instance_uuid': server['id']}
        )
        new = sorted(each.id for each in migrations)[known:]
        return (
            bool(new)
            and all(each.status in ENDED for each in migrations)
            and all(
                each.status in ends for each in migrations if each.id in new
            )
            and self._task_state(server) is None
            and not self.is_busy(server)
        )

    def is_busy(self, server: dict[str, Any]) -> bool:
        """Tell whether a living nova-compute still does something for it.

        Nova saves the last status, and frees what is allocated afterwards
        (nova/compute/manager.py:9917). It counts what is under way, as it
        waits for that when it is told to stop. Left out is what it counts at
        the destination for a whole migration, since it counts on where that
        fails and is not cleared there.
        """
        return any(
            task['instance_uuid'] == server['id']
            and task['name'] != 'live_migration_at_dest'
            for host, compute in list(self.computes.items())
            if self.processes.is_alive(host)
            for task in list(compute.manager._in_progress_tasks.values())
        )

    def _task_state(self, server: dict[str, Any]) -> Any:
        return objects.Instance.get_by_uuid(
            self.ctxt, server['id'], expected_attrs=[]
        ).task_state

    def _wait_for_server_parameter(
        self,
        server: dict[str, Any],
        expected_params: dict[str, Any],
        max_retries: int = 0,
        api: Any = None,
        wait_for_fault_key: bool = True,
    ) -> dict[str, Any]:
        needs_fault = (
            wait_for_fault_key and expected_params.get('status') == 'ERROR'
        )

        def fits() -> dict[str, Any] | None:
            shown = dict((api or self.api).get_server(server['id']))
            as_expected = expected_params.items() <= shown.items()
            if 'ERROR' == shown['status'] != server.get('status'):
                self.assertIn('ERROR', expected_params.values(), shown)
            return (
                shown
                if as_expected and ('fault' in shown or not needs_fault)
                else None
            )

        return dict(self.wait_for(fits, f'{expected_params}', look=0.1))

    def _wait_until_deleted(self, server: dict[str, Any]) -> None:
        def is_gone() -> bool:
            try:
                shown = self.api.get_server(server['id'])
            except api_client.OpenStackApiNotFoundException:
                return True
            if 'ERROR' == shown['status'] != server.get('status'):
                self.fail(f'{shown} is in error instead of deleted')
            return False

        self.wait_for(is_gone, f'the deletion of {server["id"]}', look=0.1)
