# SPDX-License-Identifier: Apache-2.0
"""A server keeps its standby, and its standby carries while it moves."""

from typing import Any

from nova_pt_migrate.core import errors as core_errors
from nova_pt_migrate.core import steps
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import guests
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import processes


class MigrationTest(paired.Paired):
    """A failover pair, there and back."""

    PAIRING = 'failover'
    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct()
        self.server = self.paired(self.port_ids, pairing=self.PAIRING)
        self.whole = always.Always(self, self.server, self.port_ids, own=1)

    def kinds(self, host: str) -> list[str]:
        return [type(step).__name__ for step in self.links[host].steps]

    def test_it_is_off_while_the_device_carries(self) -> None:
        self.assertEqual(1, len(self.standbys(self.server, base.SOURCE)))
        self.assert_switched_off(base.SOURCE)

    def test_it_moves_and_comes_back(self) -> None:
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_nothing_left(base.SOURCE)
        self.assert_switched_off(base.DESTINATION)
        self.migrate(self.server)
        self.whole.check(always.End(base.SOURCE, 'completed'))
        self.assert_nothing_left(base.DESTINATION)
        self.assert_switched_off(base.SOURCE)

    def test_the_order_on_both_hosts(self) -> None:
        self.migrate(self.server)
        self.assertEqual(
            ['LinkUp', 'AddFilter', 'RemoveFilter', 'LinkDown'],
            self.kinds(base.SOURCE),
        )
        self.assertEqual(
            ['LinkUp', 'AddFilter', 'Announce', 'RemoveFilter', 'LinkDown'],
            self.kinds(base.DESTINATION),
        )

    def test_it_is_on_before_the_guest_runs_there(self) -> None:
        """What a tap may do, and nothing of what takes its frames."""
        seen: list[str] = []

        def meet(point: processes.Point, after: bool) -> None:
            if point.name == 'migrateToURI3' and not after:
                seen.extend(self.kinds(base.DESTINATION))

        self.processes.meet = meet
        self.migrate(self.server)
        self.assertEqual(['LinkUp'], seen)

    def silent(self, host: str) -> bool:
        here = self.links[host]
        return not (here.filters or any(x.up for x in here.links.values()))

    def test_the_source_is_silent_before_the_guest_runs_elsewhere(
        self,
    ) -> None:
        """Long before Nova is told how the migration has ended."""
        seen: list[bool] = []

        def reached(phase: states.Phase) -> None:
            if phase is states.Phase.PERFORM:
                seen.append(self.silent(base.SOURCE))
            if phase is states.Phase.PERFORMED:
                self.wait_for(lambda: self.silent(base.SOURCE), 'silence')
                seen.append(True)

        self.double.settings.reached = reached
        self.migrate(self.server)
        self.assertEqual([False, True], seen)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_the_destination_is_ready_before_the_guest_runs(self) -> None:
        """And says nothing of it to anybody until the guest does."""
        there = self.links[base.DESTINATION]
        seen: list[list[str]] = []

        def reached(phase: states.Phase) -> None:
            if phase is states.Phase.PERFORM:
                seen.append(self.kinds(base.DESTINATION))
            if phase is states.Phase.PERFORMED:
                self.wait_for(lambda: there.filters, 'the way in')
                self.assertEqual(set(), self.links[base.SOURCE].filters)
                seen.append(self.kinds(base.DESTINATION))

        self.double.settings.reached = reached
        self.migrate(self.server)
        self.assertEqual([['LinkUp'], ['LinkUp', 'AddFilter']], seen)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_destination_that_is_not_told(self) -> None:
        """It sees itself when the guest runs."""
        peers = self.computes[base.SOURCE].driver._pt.peers
        peers.tell = lambda *words: None
        self.migrate(self.server)
        self.assertIn('AddFilter', self.kinds(base.DESTINATION))
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_guest_that_goes_on_at_the_source_is_heard_at_once(self) -> None:
        """Before Nova brings it home."""
        seen: list[bool] = []
        driver = self.computes[base.SOURCE].driver
        roll_back = driver.rollback_live_migration_at_source

        def wait(*args: Any) -> None:
            self.wait_for(lambda: not self.silent(base.SOURCE), 'the way')
            seen.append(True)
            roll_back(*args)

        def reached(phase: states.Phase) -> None:
            if phase is states.Phase.PERFORMED:
                self.wait_for(lambda: self.silent(base.SOURCE), 'silence')
                self.double.hypervisors[base.DESTINATION].restart_libvirtd()

        driver.rollback_live_migration_at_source = wait
        self.double.settings.reached = reached
        self.migrate(self.server, 'failed')
        self.assertEqual([True], seen)
        self.assertIn('Announce', self.kinds(base.SOURCE))
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_switched_off(base.SOURCE)

    def test_a_device_that_is_never_released(self) -> None:
        self.flags(group='pt_migrate', unplug_timeout=1.0)
        self.restart_compute_service(base.SOURCE)
        self.double.settings.guest = guests.Never()
        self.migrate(self.server, 'failed')
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_switched_off(base.SOURCE)
        self.assert_nothing_left(base.DESTINATION)

    def test_libvirt_does_not_move_it(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(self.server, 'failed')
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_switched_off(base.SOURCE)
        self.assert_nothing_left(base.DESTINATION)

    def test_a_standby_that_cannot_be_switched_on(self) -> None:
        def fault(step: object) -> None:
            if isinstance(step, steps.LinkUp):
                raise core_errors.HostError('no carrier')

        self.links[base.SOURCE].fault = fault
        self.migrate(self.server, 'failed')
        self.assertEqual([], self.double.calls.of(ours.OUR_UNPLUG))
        self.whole.check(always.End(base.SOURCE, 'failed'))

    def test_a_standby_that_cannot_be_made_there(self) -> None:
        def fault(_what: object) -> None:
            raise core_errors.HostError('no bridge')

        self.links[base.DESTINATION].fault = fault
        self.migrate(self.server, 'failed')
        self.links[base.DESTINATION].fault = lambda _what: None
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_switched_off(base.SOURCE)

    def test_a_device_that_does_not_come_leaves_it_on(self) -> None:
        self.double.faults.fail(
            ours.PLUG,
            errors.internal('No more available PCI slots'),
            host=base.DESTINATION,
        )
        self.migrate(self.server)
        there = self.links[base.DESTINATION]
        self.assertTrue(all(link.up for link in there.links.values()))
        self.assertEqual(1, len(there.filters))
        with self.processes.within(base.DESTINATION):
            healer = self.computes[base.DESTINATION].driver._pt.healer
            healer.check_again(self.ctxt)
        self.wait_for(
            lambda: not any(link.up for link in there.links.values()),
            'the device that is healed',
        )
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_switched_off(base.DESTINATION)


class BondMigrationTest(MigrationTest):
    """A bond over our own standby, whose guest has no agent."""

    PAIRING = 'bond'


class LifecycleTest(paired.Paired):
    """The standby lives as long as the server's own interfaces."""

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct(2)
        self.server = self.paired(self.port_ids, pairing='failover')
        self.whole = always.Always(self, self.server, self.port_ids, own=2)
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def act(self, action: dict[str, Any], status: str) -> None:
        self.api.post_server_action(self.server['id'], action)
        self._wait_for_state_change(self.server, status)
        self.wait_for(
            lambda: self._task_state(self.server) is None, 'task state None'
        )

    def assert_paired(self) -> None:
        self.assertEqual(2, len(self.standbys(self.server, base.DESTINATION)))
        self.assert_switched_off(base.DESTINATION, 2)
        self.migrate(self.server)
        self.whole.check(always.End(base.SOURCE, 'completed'))
        self.assert_nothing_left(base.DESTINATION)
        self.assert_switched_off(base.SOURCE, 2)

    def test_hard_reboot(self) -> None:
        self.act({'reboot': {'type': 'HARD'}}, 'ACTIVE')
        self.assert_paired()

    def test_stop_and_start(self) -> None:
        self.act({'os-stop': None}, 'SHUTOFF')
        self.act({'os-start': None}, 'ACTIVE')
        self.assert_paired()

    def test_suspend_and_resume(self) -> None:
        self.act({'suspend': None}, 'SUSPENDED')
        self.act({'resume': None}, 'ACTIVE')
        self.assert_paired()

    def test_rebuild(self) -> None:
        image = self.server['image']['id']
        self.act({'rebuild': {'imageRef': image}}, 'ACTIVE')
        self.assert_paired()

    def test_a_restart_of_nova_compute(self) -> None:
        self.restart_compute_service(base.DESTINATION)
        self.assert_paired()

    def test_delete(self) -> None:
        self.api.delete_server(self.server['id'])
        self._wait_until_deleted(self.server)
        self.assert_nothing_left(base.DESTINATION)

    def test_a_port_is_attached_and_detached(self) -> None:
        (port,) = self.ports.direct()
        self.api.attach_interface(
            self.server['id'], {'interfaceAttachment': {'port_id': port}}
        )
        self.assertEqual(3, len(self.standbys(self.server, base.DESTINATION)))
        self.assert_switched_off(base.DESTINATION, 3)
        self.api.detach_interface(self.server['id'], port)
        self.wait_for(
            lambda: (
                len(self.links[base.DESTINATION].links) == 2
                and len(self.standbys(self.server, base.DESTINATION)) == 2
            ),
            'the standby to be gone, and released by the guest',
        )
        self.assert_paired()
