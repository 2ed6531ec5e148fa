# SPDX-License-Identifier: Apache-2.0
"""The guest runs at the destination before all of its memory is there."""

from nova import objects

from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import migration
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import handed_over

Phase = states.Phase
ARRIVES = always.End(base.DESTINATION, 'completed')


class PostCopyTest(handed_over.HandedOver):
    """Nova switches over when its user asks it to force the end."""

    def setUp(self) -> None:
        super().setUp()
        self.double.settings.copy_seconds = base.NEVER
        self.double.settings.post_copy_seconds = base.NEVER
        self.server, self.whole = self.prepare(self.ports.direct(2))

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(live_migration_permit_post_copy=True, group='libvirt')

    def number(self) -> int:
        """Return the number by which the API knows the migration."""
        (found,) = objects.MigrationList.get_by_filters(
            self.ctxt, {'instance_uuid': self.server['id']}
        )
        return int(found.id)

    def switch_over(self) -> migration.Job:
        """Migrate until the guest runs there, with a part of its memory."""
        here = self.machine(base.SOURCE, self.server)
        self.begin(self.server)
        self.wait_for(lambda: here.phase is Phase.PERFORM, 'the copy')
        self.api.api_post(
            f'/servers/{self.server["id"]}/migrations/{self.number()}/action',
            {'force_complete': None},
            check_response_status=[202],
        )
        self.wait_for(
            lambda: here.memory is states.Memory.PART, 'the switch-over'
        )
        job: migration.Job = self.double.job(here)
        return job

    def assert_halves(self) -> None:
        """Both hosts have what they had when the connection was cut."""
        found = {
            host: self.machine(host, self.server)
            for host in (base.SOURCE, base.DESTINATION)
        }
        self.assertEqual(
            {
                base.SOURCE: (
                    domains.PAUSED,
                    states.Paused.POSTCOPY_FAILED,
                    states.Memory.PART,
                ),
                base.DESTINATION: (
                    domains.RUNNING,
                    states.Running.POSTCOPY_FAILED,
                    states.Memory.PART,
                ),
            },
            {
                host: (each.state, each.reason, each.memory)
                for host, each in found.items()
            },
        )

    def test_it_arrives(self) -> None:
        self.switch_over().finish()
        self.settled(self.server)
        self.whole.check(ARRIVES)

    def test_the_connection_is_cut_and_comes_back(self) -> None:
        job = self.switch_over()
        job.cut()
        self.assert_stuck(self.server, 'post-copy that has failed')
        self.assert_halves()
        job.resume_post_copy()
        self.settled(self.server)
        self.whole.check(ARRIVES)

    def test_likewise_and_nova_compute_of_the_source_starts_again(
        self,
    ) -> None:
        job = self.switch_over()
        job.cut()
        self.assert_stuck(self.server)
        self.kill(base.SOURCE)
        with self.told_again(self.server):
            self.start_again(base.SOURCE)
        self.assert_halves()
        self.assertEqual([], self.double.calls.of('abortJob'))
        job.resume_post_copy()
        self.settled(self.server)
        self.whole.check(ARRIVES)

    def test_nova_compute_of_the_source_dies_meanwhile(self) -> None:
        """Nova's own look at its start would open the API."""
        job = self.switch_over()
        self.kill(base.SOURCE)
        self.start_again(base.SOURCE)
        worker = self.computes[base.SOURCE].driver._pt.worker
        self.wait_for(lambda: worker.has(self.server['id']), 'the settling')
        with self.processes.within(base.SOURCE):
            worker._settle_all(self.ctxt)
        self.assertEqual('migrating', self._task_state(self.server))
        self.assertEqual([], self.double.calls.of('abortJob'))
        self.assertEqual([], self.told(self.server))
        job.finish()
        self.settled(self.server)
        self.whole.check(ARRIVES)

    def test_libvirtd_of_the_source_ends(self) -> None:
        """libvirt itself ends the other half then."""
        self.double.restart_libvirtd(base.SOURCE, Phase.STARTED)
        here = self.machine(base.SOURCE, self.server)
        self.switch_over()
        self.assert_stuck(self.server, 'post-copy that has failed')
        self.assertEqual(states.Paused.POSTCOPY_FAILED, here.reason)
        self.assertTrue(here.active)

    def test_nobody_can_abort_it(self) -> None:
        job = self.switch_over()
        self.wait_for(
            lambda: self.migrations(self.server) == ['running (post-copy)'],
            'its status',
        )
        self.api.api_delete(
            f'/servers/{self.server["id"]}/migrations/{self.number()}',
            check_response_status=[400],
        )
        self.assertEqual([], self.double.calls.of('abortJob'))
        job.finish()
        self.settled(self.server)
        self.whole.check(ARRIVES)
