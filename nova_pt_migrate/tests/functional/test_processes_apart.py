# SPDX-License-Identifier: Apache-2.0
"""nova-computes of one process share nothing, dead or alive."""

import threading

from nova import conf as nova_conf
from nova import context as nova_context
from nova import objects
from oslo_concurrency import lockutils
import testtools

from nova_pt_migrate.testing import faults
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting


class ApartTest(crashes.Crashes):
    def test_a_dead_one_holds_no_lock(self) -> None:
        for fair in (False, True):
            release = threading.Event()
            self.assertTrue(self.take(base.SOURCE, fair, release))
            self.kill(base.SOURCE)
            self.start_again(base.SOURCE)
            for host in self.computes:
                self.assertTrue(self.take(host, fair, release), host)
            release.set()

    def take(self, host: str, fair: bool, release: threading.Event) -> bool:
        """Have a thread take a lock and keep it; tell whether it got it."""
        taken = threading.Event()

        def take() -> None:
            with (
                self.processes.within(host),
                lockutils.lock('name', fair=fair),
            ):
                taken.set()
                release.wait()

        threading.Thread(target=take, daemon=True).start()
        return taken.wait(waiting.PATIENCE)

    def test_each_looks_into_its_cell(self) -> None:
        server = self.boot(self.ports.ordinary())
        with (
            nova_context.target_cell(self.ctxt, self.cell_mappings['cell0']),
            self.processes.within(base.SOURCE),
        ):
            found = objects.Instance.get_by_uuid(
                nova_context.get_admin_context(), server['id']
            )
        self.assertEqual(base.SOURCE, found.host)

    def test_one_dies_on_its_way_into_a_cell(self) -> None:
        on_its_way, others = threading.Event(), threading.Event()

        def look() -> None:
            with self.processes.within(base.SOURCE):
                on_its_way.set()
                with nova_context.target_cell(self.ctxt, self.cell('cell1')):
                    processes.check()
                    others.wait()

        with nova_context.target_cell(self.ctxt, self.cell('cell0')):
            looks = threading.Thread(target=look, daemon=True)
            looks.start()
            self.assertTrue(on_its_way.wait(waiting.PATIENCE))
            # It may wait for this one to come out of the other cell.
            looks.join(0.5)
            self.kill(base.SOURCE)
            looks.join(waiting.PATIENCE)
            self.assertFalse(looks.is_alive())
        self.assert_open()

    def test_one_dies_in_a_cell(self) -> None:
        with (
            testtools.ExpectedException(faults.Crash),
            self.processes.within(base.SOURCE),
            nova_context.target_cell(self.ctxt, self.cell('cell0')),
        ):
            self.processes.kill(base.SOURCE)
            processes.check()
        self.assert_open()

    def cell(self, name: str) -> objects.CellMapping:
        mapping: objects.CellMapping = self.cell_mappings[name]
        return mapping

    def assert_open(self) -> None:
        """Others get into each cell, and into the usual one by no name."""
        entered: list[str] = []

        def enter() -> None:
            found = objects.ServiceList.get_all(
                nova_context.get_admin_context()
            )
            entered.extend(
                each.host for each in found if each.host == base.DESTINATION
            )
            for name in self.cell_mappings:
                with nova_context.target_cell(self.ctxt, self.cell(name)):
                    entered.append(name)

        enters = threading.Thread(target=enter, daemon=True)
        enters.start()
        enters.join(waiting.PATIENCE)
        self.assertEqual([base.DESTINATION, *self.cell_mappings], entered)

    def test_each_has_its_name(self) -> None:
        for host in self.computes:
            with self.processes.within(host):
                self.assertEqual(host, nova_conf.CONF.host)


class LateReleaseTest(crashes.Crashes):
    """What libvirt tells a nova-compute is that one's own work."""

    def test_it_dies_while_it_looks(self) -> None:
        server, whole = self.prepare(self.ports.direct())
        (device,) = whole.devices().values()
        killed = self.processes.kill_at(base.SOURCE, 'db', '.*')
        connection = self.computes[base.SOURCE].driver._host.get_connection()
        domain = connection.lookupByUUIDString(server['id'])
        domain.machine.request_unplug('hostdev0')

        self.wait_for(killed.is_set, 'the look')
        self.assertEqual([], self.double.calls.of(ours.PLUG))
        self.start_again(base.SOURCE)
        self.assertEqual(device, whole.devices().popitem()[1])
