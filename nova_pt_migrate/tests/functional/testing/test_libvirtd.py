# SPDX-License-Identifier: Apache-2.0
"""What a libvirtd of the double leaves when it ends in a migration.

The expected states are those of libvirt's src/qemu/qemu_process.c
(qemuProcessRecoverMigrationOut, qemuProcessRecoverMigrationIn) and, of the
host whose libvirtd goes on, src/qemu/qemu_migration.c.
"""

import threading

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional.testing import double

Phase = states.Phase
State = tuple[int, int, int]
"""State, reason and job."""
GONE: State = (-1, -1, -1)
BOOTED: State = (domains.RUNNING, states.Running.BOOTED, 0)
RESUMED: State = (domains.RUNNING, states.Running.MIGRATION_CANCELED, 0)
HELD: State = (domains.PAUSED, states.Paused.MIGRATION, 0)
ARRIVED: State = (domains.RUNNING, states.Running.MIGRATED, 0)
OFF = fakelibvirt.VIR_DOMAIN_SHUTOFF
KILLED: State = (OFF, states.Shutoff.UNKNOWN, 0)
DESTROYED: State = (OFF, states.Shutoff.DESTROYED, 0)

SOURCE_ENDS = {
    Phase.BEGIN: (BOOTED, GONE),
    Phase.PREPARE: (BOOTED, GONE),
    Phase.PERFORM: (BOOTED, GONE),
    Phase.PERFORMED: (HELD, GONE),
    Phase.FINISH: (HELD, DESTROYED),
    Phase.STARTED: (HELD, DESTROYED),
    Phase.FINISHED: (HELD, ARRIVED),
    Phase.CONFIRM: (KILLED, ARRIVED),
}
DESTINATION_ENDS = {
    Phase.BEGIN: (BOOTED, GONE),
    Phase.PREPARE: (BOOTED, GONE),
    Phase.PERFORM: (BOOTED, GONE),
    Phase.PERFORMED: (RESUMED, GONE),
    Phase.FINISH: (RESUMED, KILLED),
    Phase.STARTED: (RESUMED, ARRIVED),
    Phase.FINISHED: (GONE, ARRIVED),
    Phase.CONFIRM: (GONE, ARRIVED),
}


class LibvirtdTestCase(double.DoubleTestCase):
    def migrate(self, domain: domains.Domain, flags: int = 0) -> None:
        domain.migrateToURI3(
            'qemu+tcp://there/system',
            {},
            fakelibvirt.VIR_MIGRATE_PERSIST_DEST
            | fakelibvirt.VIR_MIGRATE_UNDEFINE_SOURCE
            | flags,
        )

    def machine(self, host: str) -> machines.Machine | None:
        (found,) = self.double.hypervisors[host].machines.values() or (None,)
        return found

    def state(self, host: str) -> State:
        found = self.machine(host)
        if found is None:
            return GONE
        return found.state, found.reason, found.job


class EndsTest(LibvirtdTestCase):
    def check(self, host: str, ends: dict[Phase, tuple[State, State]]) -> None:
        self.assertEqual(set(Phase), set(ends))
        for phase, expected in ends.items():
            domain = self.start('one')
            restarted = self.double.restart_libvirtd(host, phase)
            failed = self.fails(domain)
            self.assertTrue(restarted.is_set(), str(phase))
            self.assertEqual(
                expected, (self.state('here'), self.state('there')), str(phase)
            )
            self.assertEqual(expected[0] != GONE, failed, str(phase))
            for hypervisor in self.double.hypervisors.values():
                hypervisor.machines.clear()

    def fails(self, domain: domains.Domain) -> bool:
        try:
            self.migrate(domain)
        except fakelibvirt.libvirtError:
            return True
        return False

    def test_that_of_the_source(self) -> None:
        self.check('here', SOURCE_ENDS)

    def test_that_of_the_destination(self) -> None:
        self.check('there', DESTINATION_ENDS)

    def test_a_guest_that_its_user_has_paused_stays_so(self) -> None:
        domain = self.start('one')
        domain.suspend()
        self.double.restart_libvirtd('here', Phase.FINISHED)
        self.assertTrue(self.fails(domain))
        paused = (domains.PAUSED, states.Paused.USER, 0)
        self.assertEqual(
            (paused, paused), (self.state('here'), self.state('there'))
        )

    def test_one_that_is_paused_meanwhile_runs_there(self) -> None:
        domain = self.start('one')
        self.double.settings.copy_seconds = 10
        self.double.clock.later(3, domain.suspend)
        self.double.restart_libvirtd('here', Phase.FINISHED)
        self.assertTrue(self.fails(domain))
        self.assertEqual(
            ((domains.PAUSED, states.Paused.USER, 0), ARRIVED),
            (self.state('here'), self.state('there')),
        )

    def test_handles_are_of_no_use_any_more(self) -> None:
        domain = self.start('one')
        hypervisor = self.double.hypervisors['here']
        hypervisor.end_libvirtd()
        self.assert_refused('End of file', self.here.listAllDomains)
        hypervisor.start_libvirtd()
        self.assert_refused('End of file', domain.info)
        again = self.here.lookupByUUIDString(domain.UUIDString())
        self.assertEqual([1, states.Running.BOOTED], again.state())
        self.assertEqual(again.state()[0], again.info()[0])


class PostCopyTest(LibvirtdTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.double.settings.copy_seconds = 10
        self.double.settings.post_copy_seconds = 10
        self.domain = self.start('one')
        self.double.clock.later(3, self.domain.migrateStartPostCopy)

    def migrate_post_copy(self) -> None:
        self.migrate(self.domain, fakelibvirt.VIR_MIGRATE_POSTCOPY)

    def test_the_guest_runs_there_before_all_of_it_is(self) -> None:
        seen: list[tuple[State, State]] = []
        self.double.clock.later(
            5,
            lambda: seen.append((self.state('here'), self.state('there'))),
        )
        self.double.clock.later(
            6,
            lambda: self.assert_refused('post-copy', self.domain.abortJob),
        )
        self.migrate_post_copy()
        self.assertEqual(
            [
                (
                    (domains.PAUSED, states.Paused.POSTCOPY, 2),
                    (domains.RUNNING, states.Running.POSTCOPY, 2),
                )
            ],
            seen,
        )
        self.assertEqual(
            (GONE, ARRIVED), (self.state('here'), self.state('there'))
        )

    def test_the_connection_is_cut_and_comes_back(self) -> None:
        here = self.machine('here')
        assert here is not None
        job = self.double.job(here)
        self.double.clock.later(5, job.cut)
        self.assert_refused('failed in post-copy', self.migrate_post_copy)
        there = self.machine('there')
        assert there is not None
        self.assertEqual(
            (
                (domains.PAUSED, states.Paused.POSTCOPY_FAILED, 2),
                (domains.RUNNING, states.Running.POSTCOPY_FAILED, 2),
            ),
            (self.state('here'), self.state('there')),
        )
        self.assertEqual({states.Memory.PART}, {here.memory, there.memory})
        job.resume_post_copy()
        self.assertEqual(
            (GONE, ARRIVED), (self.state('here'), self.state('there'))
        )
        self.assertIs(states.Memory.WHOLE, there.memory)

    def test_it_must_be_permitted(self) -> None:
        refused: list[Exception] = []

        def switch() -> None:
            try:
                self.domain.migrateStartPostCopy()
            except fakelibvirt.libvirtError as exc:
                refused.append(exc)

        self.double.clock.stop()
        self.double.clock.later(3, switch)
        self.migrate(self.domain)
        self.assertIn('VIR_MIGRATE_POSTCOPY', str(refused))


class IncomingTest(LibvirtdTestCase):
    def test_its_job_is_not_told(self) -> None:
        """As libvirt has it: statistics are those of the source."""
        domain = self.start('one')
        asked = threading.Event()

        def reached(phase: Phase) -> None:
            if phase is Phase.PERFORM:
                there = self.there.lookupByUUIDString(domain.UUIDString())
                self.assertEqual(
                    [domains.PAUSED, states.Paused.MIGRATION], there.state()
                )
                error = self.assertRaises(
                    fakelibvirt.libvirtError, there.jobStats
                )
                self.assertEqual(
                    fakelibvirt.VIR_ERR_OPERATION_UNSUPPORTED,
                    error.get_error_code(),
                )
                asked.set()

        self.double.settings.reached = reached
        self.migrate(domain)
        self.assertTrue(asked.is_set())
