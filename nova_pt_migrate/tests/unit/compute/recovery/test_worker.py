# SPDX-License-Identifier: Apache-2.0

from typing import Any
from unittest import mock

import fixtures
import testtools

from nova_pt_migrate.compute.recovery import settlement
from nova_pt_migrate.compute.recovery import worker
from nova_pt_migrate.compute.server import owner


class TestSettle(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.seconds = 0.0
        self.looks = 0

    def settle(self, looks: int, seconds: float) -> worker.RecoveryWorker:
        """Settle what ends at the last of some looks of some seconds."""

        def settle(context: Any) -> bool:
            self.looks += 1
            self.seconds += seconds
            return self.looks == looks

        migration = mock.create_autospec(settlement.Settlement, instance=True)
        migration.server = 'one'
        migration.settle.side_effect = settle
        settling = worker.RecoveryWorker(
            mock.create_autospec(owner.Owners, instance=True),
            60.0,
            lambda: True,
            now=lambda: self.seconds,
        )
        with mock.patch.object(worker, 'MOMENT', 0.0):
            settling.settle(migration)
        return settling

    def test_a_moment_later(self) -> None:
        self.assertFalse(self.settle(5, 0.1).has('one'))
        self.assertEqual(5, self.looks)

    def test_it_is_not_waited_for_a_host_that_does_not_answer(self) -> None:
        self.assertTrue(self.settle(5, 10.0).has('one'))
        self.assertEqual(1, self.looks)

    def test_not_for_ever(self) -> None:
        self.assertTrue(self.settle(100, 0.25).has('one'))
        self.assertEqual(4, self.looks)
