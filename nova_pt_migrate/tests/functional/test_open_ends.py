# SPDX-License-Identifier: Apache-2.0
"""What a failure leaves on a host, and what looking for it costs."""

from collections.abc import Callable
from typing import Any

from keystoneauth1 import exceptions as keystone
from neutronclient.common import exceptions as neutron
from nova import objects

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes

ASKED = {'db', 'neutron', 'placement', 'libvirt', 'cinder', 'rpc'}


class BindingTest(crashes.Crashes):
    """Neutron fails once where a migration ends."""

    def setUp(self) -> None:
        super().setUp()
        self.server, self.whole = self.prepare(self.ports.direct())
        (self.port,) = self.whole.devices()
        self.failed: list[str] = []

    def fail_once(
        self, host: str, then: Callable[[], None] = lambda: None
    ) -> None:
        """Let the next deletion of a binding, by a host, fail."""

        def meet(point: processes.Point, after: bool) -> None:
            place = (point.host, point.name)
            if place == (host, 'delete_port_binding') and not self.failed:
                self.failed.append(host)
                then()
                raise neutron.ServiceUnavailable()

        self.processes.meet = meet

    def wait_until_unbound(self, host: str) -> None:
        self.assertEqual([base.DESTINATION], self.failed)
        self.wait_for(
            lambda: host not in self.ports.bindings(self.port),
            f'the binding to {host} to be deleted',
        )

    def fail_to_migrate(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(self.server, 'failed')
        self.double.faults.forget('migrateToURI3')

    def go_on(self) -> None:
        """The server migrates to both hosts as if nothing had happened."""
        here, there = base.SOURCE, base.DESTINATION
        if self.api.get_server(self.server['id'])[always.HOST] == there:
            here, there = there, here
        for host in (there, here):
            self.migrate(self.server)
            self.whole.check(always.End(host, 'completed'))

    def test_after_a_failure(self) -> None:
        self.fail_once(base.DESTINATION)
        self.fail_to_migrate()
        self.wait_until_unbound(base.DESTINATION)
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.go_on()

    def test_after_a_success(self) -> None:
        self.fail_once(base.DESTINATION)
        self.migrate(self.server)
        self.wait_until_unbound(base.SOURCE)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.go_on()

    def test_the_host_restarts_before_it_looks_again(self) -> None:
        self.fail_once(base.DESTINATION, lambda: self.kill(base.DESTINATION))
        self.fail_to_migrate()
        self.assertIn(base.DESTINATION, self.ports.bindings(self.port))
        self.start_again(base.DESTINATION)
        self.wait_until_unbound(base.DESTINATION)
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.go_on()

    def test_the_source_restarts_before_it_looks_again(self) -> None:
        self.fail_once(base.DESTINATION, lambda: self.kill(base.SOURCE))
        self.begin(self.server)
        self.wait_for(lambda: self.failed, 'the fault')
        self.assertIn(base.SOURCE, self.ports.bindings(self.port))
        self.start_again(base.SOURCE)
        self.settled(self.server)
        self.wait_until_unbound(base.SOURCE)
        self.whole.check(always.End(base.DESTINATION, 'completed'))


class EachTest(ours.OurMigrations):
    """One server cannot be dealt with, and the others are."""

    def setUp(self) -> None:
        super().setUp()
        self.stop_settling()
        self.rt = self.computes[base.DESTINATION].manager.rt
        self.odd, self.plain = sorted(
            (self.boot(self.ports.direct()) for _ in range(2)),
            key=lambda server: str(server['id']),
        )

    def claim(self, server: dict[str, Any]) -> None:
        instance = objects.Instance.get_by_uuid(self.ctxt, server['id'])
        self.assertTrue(
            self.rt.claim_pci_devices(
                self.ctxt, instance.pci_requests, instance.numa_topology
            )
        )

    def look(self, host: str = base.DESTINATION) -> None:
        with self.processes.within(host):
            self.computes[host].driver._pt.lease.check(self.ctxt)

    def held(self) -> set[str]:
        return set(pci_tracker.held(self.rt))

    def test_placement_fails_for_one(self) -> None:
        for server in (self.odd, self.plain):
            self.claim(server)
        failed: list[str] = []

        def meet(point: processes.Point, after: bool) -> None:
            if point.kind == 'placement' and not failed:
                failed.append(point.name)
                raise keystone.ConnectFailure('connection reset')

        self.processes.meet = meet
        self.look()
        self.assertEqual(['get /allocations'], failed)
        self.assertEqual({self.odd['id']}, self.held())
        self.computes[base.DESTINATION].driver._pt.lease.note(self.odd['id'])
        self.look()
        self.assertEqual(set(), self.held())

    def test_one_that_is_here_has_a_port_without_a_device(self) -> None:
        instance = objects.Instance.get_by_uuid(self.ctxt, self.odd['id'])
        instance.host = base.DESTINATION
        instance.save()
        info = instance.get_network_info()
        del info[0]['profile']['pci_slot']
        instance.info_cache.network_info = info
        instance.info_cache.save()
        for server in (self.odd, self.plain):
            self.claim(server)
        self.look()
        self.assertEqual({self.odd['id']}, self.held())


class IdleTest(ours.OurMigrations):
    """Servers in order cost nothing."""

    def test_nothing_is_asked_of_servers_in_order(self) -> None:
        for _ in range(3):
            self.boot(self.ports.direct(2))
        moved, whole = self.prepare(self.ports.direct())
        self.migrate(moved)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.stop_settling()
        for again in (False, True):
            asked: list[str] = []

            def meet(
                point: processes.Point, after: bool, asked: list[str] = asked
            ) -> None:
                if point.kind in ASKED and not after:
                    asked.append(str(point))

            self.processes.meet = meet
            for host in (base.SOURCE, base.DESTINATION):
                with self.processes.within(host):
                    services = self.computes[host].driver._pt
                    for chore in services.worker.chores.values():
                        chore(self.ctxt)
            if again:
                self.assertEqual([], asked)
