# SPDX-License-Identifier: Apache-2.0
"""A nova-compute that dies during a live migration, and starts again."""

import threading
from typing import Any

import fixtures
from oslo_messaging import transport

from nova_pt_migrate.compute import claims
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes


class Crashes(ours.OurMigrations):
    """Whatever dies, the contract holds in the end, without an operator."""

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


class CrashTest(Crashes):
    """The source's nova-compute dies, and starts again."""

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

    def test_before_the_request_is_taken_up(self) -> None:
        """The conductor has sent it, and the source died before."""
        server, whole = self.prepare(self.ports.direct(1))
        self.kill_before('live_migration')
        self.begin(server)
        self.wait_for(
            lambda: self.migrations(server) == ['accepted'], 'the request'
        )
        self.wait_for(self.is_queued, 'the message')
        self.start_again(base.SOURCE)
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def kill_before(self, method: str) -> None:
        """Let the source die when it is about to be sent a message."""
        self.sent = threading.Event()

        def watch(message: dict[str, Any]) -> None:
            if message['method'] == method:
                self.kill(base.SOURCE)
                self.sent.set()

        # The conductor is no process of its own here.
        send = transport.Transport._send

        def sending(
            bus: Any, target: Any, context: Any, message: Any, **more: Any
        ) -> Any:
            watch(message)
            return send(bus, target, context, message, **more)

        self.useFixture(
            fixtures.MockPatchObject(transport.Transport, '_send', sending)
        )

    def is_queued(self) -> bool:
        return self.sent.is_set()

    def test_before_the_destination_prepares(self) -> None:
        server, whole = self.prepare(self.ports.direct(1))
        self.crash(server, base.SOURCE, 'rpc', 'pre_live_migration')
        whole.check(always.End(base.SOURCE, 'failed'))

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


class DestinationCrashTest(Crashes):
    """The destination's nova-compute dies, and starts again."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)

    def test_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = 3.0
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.kill(base.DESTINATION)
        self.start_again(base.DESTINATION)
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_while_memory_is_copied_in_vain(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        going_on = threading.Event()
        copying = threading.Event()

        def meet(point: processes.Point, after: bool) -> None:
            if point.name == 'migrateToURI3' and not after:
                copying.set()
                going_on.wait()
                raise errors.internal('connection reset')

        self.processes.meet = meet
        self.begin(server)
        self.wait_for(copying.is_set, 'the copy')
        self.kill(base.DESTINATION)
        self.start_again(base.DESTINATION)
        going_on.set()
        self.settled(server)
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_while_it_prepares(self) -> None:
        for point in ('cinder', 'neutron', 'db'):
            volume = self.cinder.IMAGE_BACKED_VOL
            server, whole = self.prepare(self.ports.direct(2), volume)
            killed = self.kill_while_it_prepares(point)
            self.begin(server)
            self.wait_for(killed.is_set, 'the crash')
            self.start_again(base.DESTINATION)
            self.settled(server)
            whole.check(always.End(base.SOURCE, 'failed', volumes=(volume,)))
            self.api.delete_server(server['id'])
            self._wait_until_deleted(server)

    def kill_while_it_prepares(self, kind: str) -> threading.Event:
        asked = threading.Event()
        killed = threading.Event()

        def meet(point: processes.Point, after: bool) -> None:
            if point.name == 'pre_live_migration':
                asked.set()
            elif (
                asked.is_set()
                and not killed.is_set()
                and (point.host, point.kind) == (base.DESTINATION, kind)
            ):
                self.kill(base.DESTINATION)
                killed.set()

        self.processes.meet = meet
        return killed

    def test_while_the_server_arrives(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(server, base.DESTINATION, 'libvirt', ours.PLUG, after=True)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_both_in_either_order(self) -> None:
        for order in (
            (base.SOURCE, base.DESTINATION),
            (base.DESTINATION, base.SOURCE),
        ):
            server, whole = self.prepare(self.ports.direct(1))
            killed = self.processes.kill_at(
                base.SOURCE, 'libvirt', 'migrateToURI3'
            )
            self.begin(server)
            self.wait_for(killed.is_set, 'the crash')
            self.kill(base.DESTINATION)
            for host in order:
                self.start_again(host)
            self.settled(server)
            whole.check(always.End(base.SOURCE, 'failed'))

    def test_both_and_the_guest_has_arrived(self) -> None:
        for order in (
            (base.SOURCE, base.DESTINATION),
            (base.DESTINATION, base.SOURCE),
        ):
            server, whole = self.prepare(self.ports.direct(1))
            killed = self.processes.kill_at(
                base.SOURCE, 'libvirt', 'migrateToURI3', after=True
            )
            self.begin(server)
            self.wait_for(killed.is_set, 'the crash')
            self.kill(base.DESTINATION)
            for host in order:
                self.start_again(host)
            self.settled(server)
            whole.check(always.End(base.DESTINATION, 'completed'))


class GuestEndsTest(Crashes):
    """The guest does not live to see the end of its migration."""

    def test_it_is_switched_off_while_it_is_copied(self) -> None:
        self.switch_off()

    def test_likewise_and_the_instance_path_is_not_shared(self) -> None:
        self.unshare_instance_path()
        self.switch_off()

    def switch_off(self) -> None:
        self.double.settings.copy_seconds = 60.0
        server, whole = self.prepare(self.ports.direct(1))
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.double.hypervisors[base.SOURCE].find(server['id']).stop()
        self.settled(server)
        self.assertEqual(['failed'], self.migrations(server))
        self.assertNotIn(
            server['id'],
            self.double.hypervisors[base.DESTINATION].machines,
        )
        self.wait_for(lambda: self.status(server) == 'SHUTOFF', 'SHUTOFF')
        self.api.post_server_action(server['id'], {'os-start': None})
        self._wait_for_state_change(server, 'ACTIVE')
        whole.check(always.End(base.SOURCE, 'failed'))

    def status(self, server: dict[str, Any]) -> str:
        self.computes[base.SOURCE].manager._sync_power_states(self.ctxt)
        return str(self.api.get_server(server['id'])['status'])

    def test_it_is_deleted_while_it_is_copied(self) -> None:
        self.double.settings.copy_seconds = 5.0
        server, _ = self.prepare(self.ports.direct(1))
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.api.delete_server(server['id'])
        self._wait_until_deleted(server)
        self.wait_for(self.is_all_free, 'every device to be free')

    def is_all_free(self) -> bool:
        return not any(
            claims.held(compute.manager.rt)
            for compute in self.computes.values()
        )
