# SPDX-License-Identifier: Apache-2.0
"""What hangs, or is asked to stop half-way."""

from typing import Any

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import waiting


class HangingPlugTest(ours.OurMigrations):
    LEASE = 600.0

    def test_the_others_are_plugged(self) -> None:
        self.flags(
            group='pt_migrate', plug_timeout=1.0, plug_timeout_per_gib=0.0
        )
        for name in (base.SOURCE, base.DESTINATION):
            self.restart_compute_service(name)
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        hang = self.double.faults.hang(ours.PLUG, host=base.DESTINATION)

        self.migrate(server)

        calls = self.double.calls.of(ours.PLUG, host=base.DESTINATION)
        self.assertEqual(2, len(calls))
        (port,) = [
            p for p, d in whole.devices().items() if d in calls[0].devices
        ]
        whole.check(
            always.End(base.DESTINATION, 'completed', degraded=(port,))
        )
        hang.release()
        self.wait_for(
            lambda: self.is_plugged(base.DESTINATION, server, calls[0]),
            'the plug that hung',
        )
        whole.check(always.End(base.DESTINATION, 'completed'))

    def is_plugged(self, host: str, server: Any, call: Any) -> bool:
        user = self.double.hypervisors[host].user_of(call.devices[0])
        return user is not None


class AbortTest(ours.OurMigrations):
    def abort(self, server: dict[str, Any]) -> None:
        (migration,) = self.api.api_get(
            f'/os-migrations?instance_uuid={server["id"]}'
        ).body['migrations']
        self.api.api_delete(
            f'/servers/{server["id"]}/migrations/{migration["id"]}'
        )

    def begin(self, server: dict[str, Any]) -> None:
        self.api.post_server_action(
            server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )

    def test_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        devices = whole.places()

        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'),
            'the call to migrate',
        )
        self.abort(server)
        self.wait_for(
            lambda: self.migrations(server) == ['cancelled'], 'cancelled'
        )

        whole.check(always.End(base.SOURCE, 'cancelled'))
        self.assert_one_owner(devices, devices)

    def test_while_it_is_queued(self) -> None:
        """Another server migrates, and only one may at a time."""
        self.double.settings.copy_seconds = base.NEVER
        first, _ = self.prepare(self.ports.direct())
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(first)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the first'
        )
        self.begin(server)
        self.wait_for(
            lambda: self.migrations(server) == ['queued'], 'the queue'
        )
        self.abort(server)
        self.wait_for(
            lambda: self.migrations(server) == ['cancelled'], 'cancelled'
        )
        tracker = self.computes[base.DESTINATION].manager.rt
        self.wait_for(
            lambda: server['id'] not in pci_tracker.held(tracker),
            'the destination to be freed',
        )
        self.abort(first)
        self.wait_for(
            lambda: self.migrations(first) == ['cancelled'], 'cancelled'
        )
        whole.check(always.End(base.SOURCE, 'cancelled'))
        self.double.settings.copy_seconds = 0.0
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_while_devices_are_unplugged(self) -> None:
        self.double.settings.guest = guests.Never()
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)

        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of(ours.OUR_UNPLUG),
            'the unplug requests',
        )
        self.abort(server)
        self.wait_for(
            lambda: waiting.ENDED.intersection(self.migrations(server)),
            'the end of the migration',
        )

        self.assertEqual(['cancelled'], self.migrations(server))
        self.assertEqual([], self.double.calls.of('migrateToURI3'))
        # the devices leave late, after the abort, and must come back
        self.release(server)
        self.wait_for(
            lambda: len(self.double.calls.of(ours.PLUG)) == 2, 'the plugs'
        )
        whole.check(always.End(base.SOURCE, 'cancelled'))
