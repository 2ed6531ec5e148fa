# SPDX-License-Identifier: Apache-2.0
"""Who has the same services, and until when."""

from typing import Any
import unittest

import testtools

from nova_pt_migrate.testing import settings
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import shared


class SharedTest(testtools.TestCase):
    def test_a_test_that_fails_is_the_last_one(self) -> None:
        carriers: list[Any] = []

        class Inner(shared.Shared):
            def runs(self) -> None:
                carriers.append(self._carrier)

            def test_1_leaves_a_server_and_settings(self) -> None:
                self.runs()
                self.double.settings.copy_seconds = base.NEVER
                self.boot(self.ports.direct())

            def test_2_finds_nothing_and_fails(self) -> None:
                self.runs()
                self.assertEqual(
                    settings.Settings().copy_seconds,
                    self.double.settings.copy_seconds,
                )
                self.assertEqual([], self.api.get_servers())
                self.fail('on purpose')

            def test_3_changes_the_services(self) -> None:
                self.runs()
                self.kill(base.SOURCE)

            def test_4_has_others(self) -> None:
                self.runs()
                self.assertTrue(self.processes.is_alive(base.SOURCE))

        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(Inner).run(result)
        self.assertEqual([], result.errors)
        ((failed, why),) = result.failures
        self.assertIn('test_2', failed.id())
        self.assertIn('on purpose', why)
        first, second, third, fourth = carriers
        self.assertIs(first, second)
        self.assertIsNot(second, third)
        self.assertIsNot(third, fourth)
