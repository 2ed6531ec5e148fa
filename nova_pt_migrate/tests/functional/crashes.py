# SPDX-License-Identifier: Apache-2.0
"""What tests of a nova-compute that dies have in common."""

import threading
from typing import Any

from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting


class Crashes(ours.OurMigrations):
    """Whatever dies, the contract holds in the end, without an operator."""

    def begin(self, server: dict[str, Any]) -> None:
        self.api.post_server_action(
            server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )

    def settled(self, server: dict[str, Any]) -> None:
        self.wait_for(
            lambda: self.is_ended(server, 0, waiting.FINAL),
            'the end of the migration',
        )

    def crash(
        self,
        server: dict[str, Any],
        host: str,
        kind: str,
        name: str,
        **how: Any,
    ) -> None:
        """Migrate until the host's nova-compute dies, and start it again."""
        killed = self.processes.kill_at(host, kind, name, **how)
        self.begin(server)
        self.wait_for(killed.is_set, 'the crash')
        self.start_again(host)
        self.settled(server)

    def terminate(self, host: str, seconds: int = 22) -> None:
        """Do what SIGTERM asks for; what is left then ends as if killed.

        After its manager Nova waits for its RPC servers, until the whole
        process is killed (``graceful_shutdown_timeout``).

        :param seconds: that Nova's manager has, 20 of them to clean up
        """
        self.flags(manager_shutdown_timeout=seconds)
        service = self.computes[host]
        cleaned = threading.Event()
        clean = service.manager.cleanup_host

        def cleaning() -> None:
            clean()
            cleaned.set()

        service.manager.cleanup_host = cleaning
        with self.processes.within(host):
            stop = threading.Thread(target=service.stop, daemon=True)
            stop.start()
        self.wait_for(
            lambda: cleaned.is_set() or not self.processes.is_alive(host),
            'the clean-up, or the death meanwhile',
        )
        stop.join(1.0)
        self.kill(host)

    def holds_allocations(self, server: dict[str, Any]) -> bool:
        """True while the server's only migration has an allocation."""
        (migration,) = self.api.api_get(
            f'/os-migrations?instance_uuid={server["id"]}'
        ).body['migrations']
        return bool(self._get_allocations_by_server_uuid(migration['uuid']))

    def kill_while_it_prepares(self, kind: str) -> threading.Event:
        """Kill the destination at its first call of a kind as it prepares.

        Its other threads make such calls at any time, and a request that a
        dead one had not taken yet is taken by the next one.
        """
        killed = threading.Event()
        preparing = threading.local()
        manager = self.computes[base.DESTINATION].manager
        prepare = manager.pre_live_migration

        def prepares(*args: Any, **kwargs: Any) -> Any:
            preparing.here = True
            try:
                return prepare(*args, **kwargs)
            finally:
                preparing.here = False

        def meet(point: processes.Point, after: bool) -> None:
            if (
                getattr(preparing, 'here', False)
                and not killed.is_set()
                and (point.host, point.kind) == (base.DESTINATION, kind)
            ):
                self.kill(base.DESTINATION)
                killed.set()

        manager.pre_live_migration = prepares
        self.processes.meet = meet
        return killed
