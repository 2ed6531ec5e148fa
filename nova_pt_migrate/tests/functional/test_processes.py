# SPDX-License-Identifier: Apache-2.0
"""A nova-compute that was killed has no effect, and the next one works."""

from collections.abc import Callable
import threading
from typing import Any

from nova import context as nova_context
from nova import objects
from nova import rpc
from nova import thread_pool_factory
from nova.compute import rpcapi
from oslo_db import exception as db_exception
import oslo_messaging

from nova_pt_migrate.testing import faults
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting


class DeathTest(crashes.Crashes):
    """The source dies in the middle of a migration."""

    def everything(self, server: dict[str, Any]) -> dict[str, Any]:
        """Return all that the rest of the cloud knows of the server."""
        instance = objects.Instance.get_by_uuid(
            self.ctxt, server['id'], expected_attrs=['system_metadata']
        )
        return {
            'server': instance.obj_to_primitive(),
            'migrations': self.migrations(server),
            'ports': repr(self.neutron._ports),
            'bindings': repr(self.neutron._port_bindings),
            'volumes': repr(self.cinder.volume_to_attachment),
            'allocations': self._get_allocations_by_server_uuid(server['id']),
            'calls': len(self.double.calls.of(ours.OUR_UNPLUG, ours.PLUG)),
        }

    def points_of(self, host: str) -> list[processes.Point]:
        points: list[processes.Point] = []

        def meet(point: processes.Point, after: bool) -> None:
            if point.host == host:
                points.append(point)

        self.processes.meet = meet
        return points

    def test_nothing_changes_any_more(self) -> None:
        server, whole = self.prepare(
            self.ports.direct(2), self.cinder.IMAGE_BACKED_VOL
        )
        killed = self.processes.kill_at(
            base.SOURCE, 'libvirt', 'migrateToURI3', after=True
        )
        self.begin(server)
        self.wait_for(killed.is_set, 'the crash')
        self.processes.wait_until_still(base.SOURCE)
        before = self.everything(server)
        points = self.points_of(base.SOURCE)

        # What it would do next comes from its monitor, twice a second.
        threading.Event().wait(1.5)
        self._run_periodics()

        self.assertEqual(before, self.everything(server))
        self.assertEqual([], points)
        self.start_again(base.SOURCE)
        self.settled(server)
        whole.check(
            always.End(
                base.DESTINATION,
                'completed',
                volumes=(self.cinder.IMAGE_BACKED_VOL,),
            )
        )
        self.assertNotEqual([], points)

    def test_each_way_out_is_closed(self) -> None:
        """Whatever the dead one tries."""
        compute = self.computes[base.SOURCE]
        context = nova_context.get_admin_context()
        connection = compute.driver._host.get_connection()
        compute.service_ref.report_count += 1
        ways: dict[str, Callable[[], Any]] = {
            'database, writing': compute.service_ref.save,
            'database, reading': lambda: objects.ServiceList.get_all(context),
            'libvirt': lambda: connection.listAllDomains(),
            'neutron': lambda: compute.manager.network_api.list_ports(context),
            'cinder': lambda: compute.manager.volume_api.get(context, 'id'),
            'placement': lambda: compute.manager.reportclient.get('/traits'),
            'message': lambda: rpcapi.ComputeAPI().get_host_uptime(
                context, base.DESTINATION
            ),
            'notification': lambda: rpc.get_notifier('pt', 'source').info(
                context, 'compute.instance.update', {}
            ),
            'thread': lambda: threading.Thread(target=int).start(),
            'task': lambda: thread_pool_factory.spawn(int),
        }
        with self.processes.within(base.SOURCE):
            self.kill(base.SOURCE)
            still_open = [
                name for name, way in ways.items() if not _crashes(way)
            ]
        self.assertEqual([], still_open)

    def test_it_dies_before_it_writes_or_after(self) -> None:
        server = self.boot(self.ports.direct())
        for after, name in ((False, 'never written'), (True, 'written')):
            self.processes.kill_at(
                base.SOURCE, 'db', 'instance_update.*', after=after
            )
            with self.processes.within(base.SOURCE):
                instance = objects.Instance.get_by_uuid(
                    self.ctxt, server['id']
                )
                instance.display_name = name
                self.assertTrue(_crashes(instance.save))
            self.assertFalse(self.processes.is_alive(base.SOURCE))
            self.assertEqual(
                after, name == self.api.get_server(server['id'])['name']
            )
            self.start_again(base.SOURCE)

    def test_it_dies_in_a_periodic_task(self) -> None:
        for host in (base.SOURCE, base.DESTINATION):
            killed = self.processes.kill_at(host, 'db', '.*')
            self._run_periodics()
            self.assertTrue(killed.is_set())
            self.assertFalse(self.processes.is_alive(host))

    def test_a_periodic_task_that_fails_comes_again(self) -> None:
        looks: list[processes.Point] = []

        def meet(point: processes.Point, after: bool) -> None:
            looks.append(point)
            if len(looks) == 1:
                raise db_exception.DBConnectionError('no')

        self.processes.meet = meet
        self._run_periodics()
        self.assertLess(1, len(looks))

    def test_it_dies_while_it_starts(self) -> None:
        server, whole = self.prepare(self.ports.direct())
        self.kill(base.SOURCE)
        killed = self.processes.kill_at(base.SOURCE, 'db', '.*', number=9)
        self.assertRaises(base.NotStarted, self.start_again, base.SOURCE)
        self.assertTrue(killed.is_set())
        self.start_again(base.SOURCE)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_fails_while_it_starts(self) -> None:
        server, whole = self.prepare(self.ports.direct())
        self.kill(base.SOURCE)

        def meet(point: processes.Point, after: bool) -> None:
            raise db_exception.DBConnectionError('no')

        self.processes.meet = meet
        self.assertRaises(base.NotStarted, self.start_again, base.SOURCE)
        self.processes.meet = lambda point, after: None
        self.start_again(base.SOURCE)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))


class MessageTest(crashes.Crashes):
    """Calls to a nova-compute that dies, and from one."""

    def setUp(self) -> None:
        super().setUp()
        self.server = self.boot(self.ports.ordinary())
        self.answers: list[Any] = []

    def ask(self) -> None:
        """Ask the source, whose answer takes calls to libvirt."""
        instance = objects.Instance.get_by_uuid(self.ctxt, self.server['id'])
        self.answers.append(
            rpcapi.ComputeAPI().get_instance_diagnostics(self.ctxt, instance)
        )

    def test_they_wait_for_the_next_one(self) -> None:
        self.kill(base.SOURCE)
        asking = threading.Thread(target=self.ask)
        asking.start()
        asking.join(1.0)
        self.assertEqual([], self.answers)
        self.start_again(base.SOURCE)
        asking.join(waiting.PATIENCE)
        self.assertEqual(1, len(self.answers))

    def test_one_that_died_with_a_call_never_answers(self) -> None:
        self.processes.bus.patience = 0.2
        self.processes.kill_at(base.SOURCE, 'libvirt', '.*')
        self.assertRaises(oslo_messaging.MessagingTimeout, self.ask)

    def test_a_caller_dies_while_it_waits(self) -> None:
        self.kill(base.SOURCE)
        sent = threading.Event()
        self.processes.messages.append(lambda _message: sent.set())
        ends: list[bool] = []

        def ask() -> None:
            with self.processes.within(base.DESTINATION):
                ends.append(_crashes(self.ask))

        asking = threading.Thread(target=ask)
        asking.start()
        self.assertTrue(sent.wait(waiting.PATIENCE))
        self.kill(base.DESTINATION)
        asking.join(waiting.PATIENCE)
        self.assertEqual([True], ends)


class JobTest(crashes.Crashes):
    """Libvirt's migration and the end of the client that asked for it."""

    def kill_in_copy(self, server: dict[str, Any]) -> Any:
        """Return libvirt's job, when the client is dead."""
        self.double.settings.copy_seconds = base.NEVER
        self.begin(server)
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.wait_for(lambda: machine.migrating, 'the copy')
        self.kill(base.SOURCE)
        return self.double.job(machine)

    def test_it_goes_on(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.kill_in_copy(server)
        self.start_again(base.SOURCE)
        self.settled(server)
        self.assertNotEqual([], self.double.calls.of('abortJob'))
        whole.check(always.End(base.SOURCE, 'failed'))

    def test_it_ends_meanwhile(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        there = self.double.hypervisors[base.DESTINATION]
        self.kill_in_copy(server).finish()
        self.wait_for(lambda: server['id'] in there.machines, 'the guest')
        self.start_again(base.SOURCE)
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_is_aborted_meanwhile(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.kill_in_copy(server).abort()
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.wait_for(lambda: not machine.migrating, 'the end of the job')
        self.start_again(base.SOURCE)
        self.settled(server)
        whole.check(always.End(base.SOURCE, 'failed'))


def _crashes(way: Callable[[], Any]) -> bool:
    """Tell whether it ends as in a process that is dead."""
    try:
        way()
    except faults.Crash:
        return True
    return False
