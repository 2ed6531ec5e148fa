# SPDX-License-Identifier: Apache-2.0
"""The destination's nova-compute dies, or both, and they come back."""

import threading

from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes


class DestinationCrashTest(crashes.Crashes):
    """The destination's nova-compute dies, and starts again."""

    def setUp(self) -> None:
        super().setUp()
        self.processes.bus.patience = 1.0

    def test_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, whole = self.prepare(self.ports.direct(2))
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.kill(base.DESTINATION)
        self.start_again(base.DESTINATION)
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.double.job(machine).finish()
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

    def test_while_the_server_arrives(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.crash(server, base.DESTINATION, 'libvirt', ours.PLUG, after=True)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_while_it_is_cleared(self) -> None:
        self.unshare_instance_path()
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        self.double.faults.fail(
            'migrateToURI3', errors.internal('connection reset')
        )
        self.crash(server, base.DESTINATION, 'neutron', 'delete_port_binding')
        self.wait_for(
            lambda: all(len(self.ports.bindings(port)) == 1 for port in ports),
            'the bindings to be deleted',
        )
        whole.check(always.End(base.SOURCE, 'failed'))

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
