# SPDX-License-Identifier: Apache-2.0
"""A nova-compute is told to stop while a server migrates."""

import threading
from typing import Any

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes


class Terminated(crashes.Crashes):
    """It has little time to end what it does."""

    def setUp(self) -> None:
        super().setUp()
        self.processes.bus.patience = 1.0

    def again(self, host: str, server: dict[str, Any]) -> None:
        """Terminate, start again, and wait for the end of the migration."""
        self.terminate(host)
        self.double.settings.guest = guests.Together()
        self.start_again(host)
        self.settled(server)

    def hold(self, host: str, kind: str, name: str) -> threading.Event:
        """Let a call of a nova-compute last until it is dead.

        :returns: set when it has begun
        """
        begun = threading.Event()

        def meet(point: processes.Point, after: bool) -> None:
            if not after and str(point) == f'{host}:{kind}:{name}':
                begun.set()
                threading.Event().wait()

        self.processes.meet = meet
        return begun

    def terminate_in(
        self, host: str, kind: str, name: str, end: always.End
    ) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        begun = self.hold(host, kind, name)
        self.begin(server)
        self.wait_for(begun.is_set, name)
        self.terminate(host)
        self.processes.meet = lambda point, after: None
        self.start_again(host)
        self.settled(server)
        whole.check(end)

    def asked(self) -> None:
        self.wait_for(
            lambda: self.double.calls.of(ours.OUR_UNPLUG), 'the request'
        )

    def copying(self) -> None:
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )


class SourceTest(Terminated):
    def test_while_devices_are_unplugged(self) -> None:
        self.double.settings.guest = guests.OneByOne(base.NEVER)
        server, whole = self.prepare(self.ports.direct(2))
        first, _ = whole.devices().values()
        self.begin(server)
        self.asked()
        self.release(server, first)
        self.terminate(base.SOURCE)
        self.assertEqual(['cancelled'], self.migrations(server))
        self.start_again(base.SOURCE)
        whole.check(always.End(base.SOURCE, 'cancelled'))

    def test_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(server)
        self.copying()
        self.again(base.SOURCE, server)
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_while_little_memory_is_left(self) -> None:
        self.double.settings.copy_seconds = 1.0
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(server)
        self.copying()
        self.terminate(base.SOURCE, seconds=160)
        self.assertEqual(['completed'], self.migrations(server))
        self.start_again(base.SOURCE)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_while_it_is_queued(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        first, _ = self.prepare(self.ports.direct())
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(first)
        self.copying()
        self.begin(server)
        self.wait_for(
            lambda: self.migrations(server) == ['queued'], 'the queue'
        )
        self.again(base.SOURCE, server)
        self.settled(first)
        whole.check(always.End(base.SOURCE, 'cancelled'))

    def test_while_the_destination_prepares(self) -> None:
        self.terminate_in(
            base.SOURCE,
            'rpc',
            'pre_live_migration',
            always.End(base.SOURCE, 'failed'),
        )

    def test_while_bindings_are_activated(self) -> None:
        self.terminate_in(
            base.SOURCE,
            'neutron',
            'activate_port_binding',
            always.End(base.DESTINATION, 'completed'),
        )


class DestinationTest(Terminated):
    def test_while_it_prepares(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        begun = threading.Event()

        def prepare(*args: Any, **kwargs: Any) -> None:
            begun.set()
            threading.Event().wait()

        driver = self.computes[base.DESTINATION].driver
        driver.pre_live_migration = prepare
        self.begin(server)
        self.wait_for(begun.is_set, 'the preparation')
        self.again(base.DESTINATION, server)
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_while_devices_are_plugged(self) -> None:
        self.terminate_in(
            base.DESTINATION,
            'libvirt',
            'attachDeviceFlags',
            always.End(base.DESTINATION, 'completed'),
        )

    def test_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(server)
        self.copying()
        self.terminate(base.DESTINATION)
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.start_again(base.DESTINATION)
        self.double.job(machine).finish()
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_does_not_wait_for_one_that_has_failed(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, _ = self.prepare(self.ports.direct())
        self.begin(server)
        self.copying()
        self.double.hypervisors[base.SOURCE].find(server['id']).stop()
        self.settled(server)
        manager = self.computes[base.DESTINATION].manager
        self.wait_for(
            lambda: not manager._in_progress_tasks,
            'its end at the destination',
        )
        self.assertEqual({}, pci_tracker.held(manager.rt))


class HealTest(Terminated):
    def test_one_is_waited_for_and_none_begins(self) -> None:
        server, _ = self.prepare(self.ports.direct())
        compute = self.computes[base.SOURCE]
        tasks = compute.manager._in_progress_tasks
        hang = self.double.faults.hang(ours.PLUG, host=base.SOURCE)
        self.release(server)
        self.wait_for(lambda: self.double.calls.of(ours.PLUG), 'the plug')
        self.assertEqual(
            ['pt_migrate: a look after it'],
            [task['name'] for task in tasks.values()],
        )
        compute.manager.set_shutdown_in_progress()
        hang.release()
        self.wait_for(lambda: not tasks, 'its end')

        self.release(server)

        self.wait_for(
            lambda: server['id'] in compute.driver._pt.healer._lacking,
            'the look that does not begin',
        )
        self.assertEqual(1, len(self.double.calls.of(ours.PLUG)))
