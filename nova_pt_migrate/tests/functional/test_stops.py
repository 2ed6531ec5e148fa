# SPDX-License-Identifier: Apache-2.0
"""Services end, though tasks of dead processes do not."""

import gc
from typing import Any

import fixtures
from nova.compute import manager as compute_manager
import testtools

from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting


class EndTest(crashes.Crashes):
    """What is left of a dead one does not keep the test from its end."""

    def hang_in_libvirt(self) -> None:
        """Have a task of the source's wait for libvirt, for ever."""
        hang = self.double.faults.hang('listAllDomains', host=base.SOURCE)
        compute = self.computes[base.SOURCE]
        connection = compute.driver._host.get_connection()
        with self.processes.within(base.SOURCE):
            compute.rpcserver._work_executor.submit(connection.listAllDomains)
        self.assertTrue(hang.reached.wait(waiting.PATIENCE))

    def test_its_service_stops_at_once(self) -> None:
        self.hang_in_libvirt()
        self.kill(base.SOURCE)
        # Not within any time, if it waited for its tasks.
        self.computes[base.SOURCE].stop()
        self.start_again(base.SOURCE)

    def test_it_ends_with_the_test(self) -> None:
        self.hang_in_libvirt()
        self.kill(base.SOURCE)
        self.start_again(base.SOURCE)
        self.hang_in_libvirt()
        self.kill(base.SOURCE)

    def test_it_died_as_it_started(self) -> None:
        """Its RPC server is there, and nobody has it any more."""
        self.kill(base.SOURCE)

        def hook(_manager: Any) -> None:
            self.processes.kill(base.SOURCE)
            processes.check()

        with (
            fixtures.MockPatchObject(
                compute_manager.ComputeManager, 'post_start_hook', new=hook
            ),
            testtools.ExpectedException(base.NotStarted),
        ):
            self.start_again(base.SOURCE)
        gc.collect()
