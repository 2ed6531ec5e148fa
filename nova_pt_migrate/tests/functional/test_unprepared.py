# SPDX-License-Identifier: Apache-2.0
"""The destination dies in its preparation; the rollback is disturbed, too.

Nova saves ``error`` before it rolls back, and the server has no allocation of
its source before the rollback has given it back.
"""

from collections.abc import Callable
import threading

from keystoneauth1 import exceptions as keystone
from nova import exception
from nova import objects
from nova.compute import task_states

from nova_pt_migrate.compute.recovery import leftovers
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting

GIVEN_BACK = 'post /allocations'


class RollbackTest(crashes.Crashes):
    """Something happens as the source is about to get its allocation back."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)
        self.processes.bus.patience = 1.0
        self.volume = self.cinder.IMAGE_BACKED_VOL
        self.server, self.whole = self.prepare(
            self.ports.direct(2), self.volume
        )

    def disturb(self, disturbance: Callable[[], None]) -> None:
        """Migrate with a destination that dies in its preparation.

        :param disturbance: done by the source before the allocation is given
            back, when the destination is there again
        """
        again = threading.Event()
        done = threading.Event()

        def meet(point: processes.Point, after: bool) -> None:
            if after or done.is_set():
                return
            if (point.host, point.name) == (base.SOURCE, GIVEN_BACK):
                again.wait(waiting.PATIENCE)
                done.set()
                disturbance()

        killed = self.kill_while_it_prepares('neutron')
        self.begin(self.server)
        self.wait_for(killed.is_set, 'the crash')
        self.processes.meet = meet
        self.start_again(base.DESTINATION)
        again.set()
        self.wait_for(done.is_set, 'the rollback')

    def check(self) -> None:
        self.settled(self.server)
        self.wait_for(
            lambda: not self.holds_allocations(self.server),
            'the allocation to be given back',
        )
        self.whole.check(
            always.End(base.SOURCE, 'failed', volumes=(self.volume,))
        )

    def test_the_destination_frees_what_it_holds(self) -> None:
        def look() -> None:
            with self.processes.within(base.DESTINATION):
                driver = self.computes[base.DESTINATION].driver
                driver._pt.lease.check(self.ctxt)

        self.disturb(look)
        self.check()

    def test_the_source_dies(self) -> None:
        self.disturb(lambda: self.kill(base.SOURCE))
        self.start_again(base.SOURCE)
        self.check()

    def test_placement_cannot_be_reached(self) -> None:
        self.disturb(_raising(keystone.ConnectFailure('connection reset')))
        self.check()

    def test_it_is_left_until_nothing_else_is_under_way(self) -> None:
        self.stop_settling()
        self.disturb(_raising(keystone.ConnectFailure('connection reset')))
        self.settled(self.server)
        compute = self.computes[base.SOURCE].manager
        (migration,) = objects.MigrationList.get_by_filters(
            self.ctxt, {'instance_uuid': self.server['id']}
        )
        instance = objects.Instance.get_by_uuid(self.ctxt, self.server['id'])

        instance.task_state = task_states.RESIZE_PREP
        given_back = leftovers.end_allocation(
            compute, self.ctxt, instance, migration
        )

        self.assertFalse(given_back)
        self.assertTrue(self.holds_allocations(self.server))
        instance.task_state = None
        self.assertTrue(
            leftovers.end_allocation(compute, self.ctxt, instance, migration)
        )
        self.assertFalse(self.holds_allocations(self.server))

    def test_it_fails(self) -> None:
        self.disturb(
            _raising(
                exception.AllocationMoveFailed(
                    source_consumer='migration',
                    target_consumer='server',
                    error='generation conflict',
                )
            )
        )
        self.check()


def _raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail
