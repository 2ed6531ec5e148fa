# SPDX-License-Identifier: Apache-2.0
"""A nova-compute that dies during a live migration, and starts again."""

from typing import Any

from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours


class CrashTest(ours.OurMigrations):
    """The whole contract holds after the next start, without an operator."""

    def begin(self, server: dict[str, Any]) -> None:
        self.api.post_server_action(
            server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )

    def settled(self, server: dict[str, Any]) -> None:
        self.wait_for(
            lambda: base.ENDED.intersection(self.migrations(server)),
            'the end of the migration',
            seconds=30.0,
        )
        self.wait_for(
            lambda: self._task_state(server) is None, 'task state None'
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

    def test_before_libvirt_is_told_to_migrate(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(server, base.SOURCE, 'libvirt', 'migrateToURI3')
        whole.check(always.End(base.SOURCE, 'failed'))
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_between_two_requests_to_unplug(self) -> None:
        self.double.settings.guest = guests.Together(3.0)
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(server, base.SOURCE, 'libvirt', ours.OUR_UNPLUG, after=True)
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = 60.0
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.kill(base.SOURCE)
        self.start_again(base.SOURCE)
        self.settled(server)
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_the_guest_arrives_meanwhile(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(server, base.SOURCE, 'libvirt', 'migrateToURI3', after=True)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_while_it_is_prepared(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(
            server, base.SOURCE, 'rpc', 'pre_live_migration', after=True
        )
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_while_it_is_finished(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(
            server, base.SOURCE, 'rpc', 'post_live_migration_at_destination'
        )
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_after_it_is_finished_at_the_destination(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(
            server,
            base.SOURCE,
            'rpc',
            'post_live_migration_at_destination',
            after=True,
        )
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_with_a_volume(self) -> None:
        for name, after, end in (
            ('pre_live_migration', True, (base.SOURCE, 'failed')),
            (
                'post_live_migration_at_destination',
                False,
                (base.DESTINATION, 'completed'),
            ),
        ):
            volume = self.cinder.IMAGE_BACKED_VOL
            server, whole = self.prepare(self.ports.direct(1), volume)
            self.crash(server, base.SOURCE, 'rpc', name, after=after)
            whole.check(always.End(*end, volumes=(volume,)))
            self.api.delete_server(server['id'])
