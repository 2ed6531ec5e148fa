# SPDX-License-Identifier: Apache-2.0
"""libvirtd of either host ends between two phases of a live migration."""

from typing import Any

from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import handed_over

Phase = states.Phase
STAYS = always.End(base.SOURCE, 'failed')
ARRIVES = always.End(base.DESTINATION, 'completed')


class SourceLibvirtdTest(handed_over.HandedOver):
    """libvirtd of the source, which carries the migration."""

    def check_end(self, phase: Phase, end: always.End) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.restart(server, base.SOURCE, phase)
        self.settled(server)
        whole.check(end)
        self.assertEqual([], self.told(server))

    def test_before_the_destination_is_prepared(self) -> None:
        self.check_end(Phase.BEGIN, STAYS)

    def test_when_the_destination_is_prepared(self) -> None:
        self.check_end(Phase.PREPARE, STAYS)

    def test_while_memory_is_copied(self) -> None:
        self.check_end(Phase.PERFORM, STAYS)

    def test_the_guest_runs_at_the_destination(self) -> None:
        """The source's is paused for good, and nobody there knows it."""
        self.check_end(Phase.FINISHED, ARRIVES)

    def test_likewise_and_the_instance_path_is_not_shared(self) -> None:
        self.unshare_instance_path()
        self.check_end(Phase.FINISHED, ARRIVES)

    def test_the_guest_is_about_to_be_ended_on_the_source(self) -> None:
        self.check_end(Phase.CONFIRM, ARRIVES)

    def test_when_the_copy_is_finished(self) -> None:
        """No guest runs; the source's is whole, for an operator to resume."""
        server, whole = self.prepare(self.ports.direct(2))
        self.restart(server, base.SOURCE, Phase.PERFORMED)
        self.assert_stuck(server, 'paused by a migration', 'not known')
        here = self.machine(base.SOURCE, server)
        self.assertEqual(
            (domains.PAUSED, states.Paused.MIGRATION, states.Memory.WHOLE),
            (here.state, here.reason, here.memory),
        )
        here.set_state(domains.RUNNING, states.Running.UNPAUSED)
        self.settled(server)
        whole.check(STAYS)

    def test_likewise_and_nova_compute_starts_again(self) -> None:
        server, whole = self.prepare(self.ports.direct(1))
        self.restart(server, base.SOURCE, Phase.PERFORMED)
        self.assert_stuck(server)
        self.kill(base.SOURCE)
        with self.told_again(server):
            self.start_again(base.SOURCE)
        self.machine(base.SOURCE, server).set_state(
            domains.RUNNING, states.Running.UNPAUSED
        )
        self.settled(server)
        whole.check(STAYS)

    def test_the_guest_may_have_run_at_the_destination(self) -> None:
        """libvirt has killed it there, perhaps after it had run."""
        self.check_stuck(Phase.STARTED)

    def test_the_guest_was_about_to_run_at_the_destination(self) -> None:
        """What is left there is the same."""
        self.check_stuck(Phase.FINISH)

    def check_stuck(self, phase: Phase) -> None:
        server, _ = self.prepare(self.ports.direct(1))
        self.restart(server, base.SOURCE, phase)
        self.assert_stuck(
            server, 'paused by a migration', 'defined, not active'
        )
        self.assertTrue(self.machine(base.SOURCE, server).active)
        self.assertIsNotNone(self.machine(base.DESTINATION, server).persistent)

    def test_the_destination_does_not_answer(self) -> None:
        server, whole = self.prepare(self.ports.direct(1))
        self.double.restart_libvirtd(base.SOURCE, Phase.FINISHED)
        there = self.double.hypervisors[base.DESTINATION]
        reached = self.double.settings.reached

        def ends(phase: Phase) -> None:
            if phase is Phase.FINISHED:
                there.end_libvirtd()
            reached(phase)

        self.double.settings.reached = ends
        self.begin(server)
        source = self.computes[base.SOURCE].driver._pt.worker
        self.wait_for(lambda: source.has(server['id']), 'the settling')
        with self.processes.within(base.SOURCE):
            source._settle_all(self.ctxt)
        self.assertFalse(self.is_ended(server, 0))
        self.assertEqual([], self.told(server))
        there.start_libvirtd()
        self.settled(server)
        whole.check(ARRIVES)


class DestinationLibvirtdTest(handed_over.HandedOver):
    """libvirtd of the destination; the source notices."""

    def check_end(self, phase: Phase, end: always.End) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.restart(server, base.DESTINATION, phase)
        self.settled(server)
        whole.check(end)

    def test_when_it_is_prepared(self) -> None:
        self.check_end(Phase.PREPARE, STAYS)

    def test_while_memory_is_copied(self) -> None:
        self.check_end(Phase.PERFORM, STAYS)

    def test_when_the_copy_is_finished(self) -> None:
        self.check_end(Phase.PERFORMED, STAYS)

    def test_before_the_guest_runs_there(self) -> None:
        self.check_end(Phase.FINISH, STAYS)

    def test_when_it_runs_there_and_the_source_lets_its_own_run(self) -> None:
        """libvirt's own mistake, which is ended at once: two guests."""
        self.check_end(Phase.STARTED, STAYS)

    def test_when_it_has_arrived(self) -> None:
        self.check_end(Phase.FINISHED, ARRIVES)


class PausedTest(handed_over.HandedOver):
    """A guest that somebody pauses while it migrates."""

    def pause_at(self, server: dict[str, Any], then: Any) -> None:
        """Pause it when its memory begins to be copied."""

        def reached(phase: Phase) -> None:
            if phase is Phase.PERFORM:
                self.machine(base.SOURCE, server).set_state(
                    domains.PAUSED, states.Paused.USER
                )
            then(phase)

        self.double.settings.reached = reached

    def test_it_arrives(self) -> None:
        server, whole = self.prepare(self.ports.direct(1))
        self.pause_at(server, lambda phase: None)
        self.migrate(server)
        whole.check(ARRIVES)

    def test_it_stays_where_the_migration_fails(self) -> None:
        self.unshare_instance_path()
        server, whole = self.prepare(self.ports.direct(1))
        machine = self.machine(base.SOURCE, server)
        job = self.double.job(machine)

        def abort(phase: Phase) -> None:
            if phase is Phase.PERFORM:
                job.abort()

        self.pause_at(server, abort)
        self.begin(server)
        self.wait_for(
            lambda: self.is_ended(server, 0), 'the end of the migration'
        )
        self.assertEqual(['cancelled'], self.migrations(server))
        self.assertEqual(
            (domains.PAUSED, states.Paused.USER),
            (machine.state, machine.reason),
        )
        whole.check(always.End(base.SOURCE, 'cancelled'))

    def test_it_runs_there_and_libvirtd_of_the_source_ends(self) -> None:
        """The source says the same of it as of one that has stayed."""
        server, whole = self.prepare(self.ports.direct(1))
        self.double.restart_libvirtd(base.SOURCE, Phase.FINISHED)
        self.pause_at(server, self.double.settings.reached)
        self.begin(server)
        self.settled(server)
        whole.check(ARRIVES)

    def test_it_is_paused_there_as_well(self) -> None:
        server, whole = self.prepare(self.ports.direct(1))
        restart = self.double.restart_libvirtd(base.SOURCE, Phase.FINISHED)
        ends = self.double.settings.reached

        def pause(phase: Phase) -> None:
            if phase is Phase.FINISHED and not restart.is_set():
                self.machine(base.DESTINATION, server).set_state(
                    domains.PAUSED, states.Paused.USER
                )
            ends(phase)

        self.double.settings.reached = pause
        self.begin(server)
        self.settled(server)
        whole.check(ARRIVES)
