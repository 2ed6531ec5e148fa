# SPDX-License-Identifier: Apache-2.0
"""The source's nova-compute dies during a live migration, and comes back."""

import threading
from typing import Any

import fixtures
from oslo_messaging import transport

from nova_pt_migrate.compute.claims import awaited
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.recovery import worker
from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import waiting


class CrashTest(crashes.Crashes):
    """The source's nova-compute dies, and starts again."""

    def test_before_libvirt_is_told_to_migrate(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(server, base.SOURCE, 'libvirt', 'migrateToURI3')
        whole.check(always.End(base.SOURCE, 'failed'))
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_between_two_requests_to_unplug(self) -> None:
        self.double.settings.guest = guests.Never()
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(server, base.SOURCE, 'libvirt', ours.OUR_UNPLUG, after=True)
        # the one that was asked for leaves late, and comes back
        (call,) = self.double.calls.of(ours.OUR_UNPLUG)
        self.release(server, *call.devices)
        source = self.double.hypervisors[base.SOURCE]
        self.wait_for(
            lambda: (
                self.double.calls.of(ours.PLUG)
                and all(map(source.user_of, whole.devices().values()))
            ),
            'the device that left late',
        )
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
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

    def test_while_the_request_is_taken_up(self) -> None:
        """It is looked at when Nova waits no more and nothing left yet."""
        server, whole = self.prepare(self.ports.direct(1))
        self.kill_before('live_migration')
        started = self.look_before_departures()
        self.begin(server)
        self.wait_for(self.is_queued, 'the message')
        # It looks at no other moment.
        with fixtures.MockPatchObject(worker.RecoveryWorker, 'start'):
            self.start_again(base.SOURCE)
        started.set()
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def look_before_departures(self) -> threading.Event:
        """Let the source look at what is unsettled before one begins.

        :returns: to be set when the source is there again
        """
        started = threading.Event()
        begin = owner.Owners.operation

        def beginning(owners: owner.Owners, server: str, what: str) -> Any:
            if what == 'a live migration':
                started.wait(waiting.PATIENCE)
                source = self.computes[base.SOURCE].driver
                source._pt.worker._settle_all(self.ctxt)
            return begin(owners, server, what)

        self.useFixture(
            fixtures.MockPatchObject(owner.Owners, 'operation', beginning)
        )
        return started

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

    def test_between_completed_and_its_allocation(self) -> None:
        server, whole = self.prepare(self.ports.direct(1))
        killed = self.processes.kill_at(
            base.SOURCE, 'placement', 'get /allocations', number=2
        )
        self.begin(server)
        self.wait_for(killed.is_set, 'the crash')
        self.assertEqual(['completed'], self.migrations(server))
        self.assertTrue(self.holds_allocations(server))
        self.start_again(base.SOURCE)
        self.wait_for(
            lambda: not self.holds_allocations(server), 'the allocation'
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


class EvacuationTest(crashes.Crashes):
    """The source loses its power; the server is evacuated."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)
        self.start_compute(
            hostname=base.THIRD, pci_info=self.pci_info(base.THIRD)
        )

    def lose_power(self, server: dict[str, Any], point: str) -> None:
        killed = self.processes.kill_at(base.SOURCE, 'libvirt', point)
        self.api.post_server_action(
            server['id'],
            {
                'os-migrateLive': {
                    'host': base.DESTINATION,
                    'block_migration': 'auto',
                }
            },
        )
        self.wait_for(killed.is_set, 'the crash')
        self.double.hypervisors[base.SOURCE].find(server['id']).stop()
        self.fence()

    def fence(self) -> None:
        self.api.put_service_force_down(
            self.computes[base.SOURCE].service_ref.uuid, True
        )

    def evacuate(self, server: dict[str, Any], host: str) -> None:
        self.api.post_server_action(server['id'], {'evacuate': {'host': host}})
        self.wait_for(
            lambda: (
                self.api.get_server(server['id'])['OS-EXT-SRV-ATTR:host']
                == host
            ),
            'the evacuation',
        )
        self._wait_for_state_change(server, 'SHUTOFF')
        self.api.post_server_action(server['id'], {'os-start': None})
        self._wait_for_state_change(server, 'ACTIVE')

    def check_evacuated_to(self, host: str) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.lose_power(server, 'migrateToURI3')
        self.wait_for(
            lambda: not self.held_elsewhere(server, base.SOURCE),
            'the devices of the destination',
        )
        self.evacuate(server, host)
        self.start_again(base.SOURCE)
        self.api.put_service_force_down(
            self.computes[base.SOURCE].service_ref.uuid, False
        )
        self.wait_for(
            lambda: waiting.ENDED.intersection(self.migrations(server)[:1]),
            'the end of the live migration',
        )
        self.wait_for(
            lambda: not self.held_elsewhere(server, host),
            'the devices elsewhere',
        )
        whole.check(always.End(host, 'completed'))
        self.assertEqual('failed', self.migrations(server)[0])

    def held_elsewhere(self, server: dict[str, Any], host: str) -> bool:
        return any(
            server['id'] in pci_tracker.held(compute.manager.rt)
            for name, compute in self.computes.items()
            if name != host
        )

    def test_to_a_third_host(self) -> None:
        self.check_evacuated_to(base.THIRD)

    def test_to_the_destination(self) -> None:
        self.check_evacuated_to(base.DESTINATION)

    def test_it_is_fenced_while_the_destination_looks(self) -> None:
        """What held the allocation there must not be the first to go."""
        ask, fence = awaited.may_come, self.fence
        asked, fenced = threading.Event(), threading.Event()

        def slowly(compute: Any, context: Any, instance: Any) -> bool:
            answer = ask(compute, context, instance)
            asked.set()
            fenced.wait(waiting.PATIENCE)
            return answer

        def fence_then() -> None:
            self.wait_for(asked.is_set, 'the look of the destination')
            fence()
            fenced.set()

        self.useFixture(fixtures.MockPatchObject(awaited, 'may_come', slowly))
        self.fence = fence_then  # type: ignore[method-assign]
        self.check_evacuated_to(base.THIRD)
