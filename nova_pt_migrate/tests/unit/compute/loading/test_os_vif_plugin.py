# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys

import fixtures
import nova.virt
from nova.virt import driver as virt_driver
import os_vif
import testtools

from nova_pt_migrate.compute.loading import driver_class
from nova_pt_migrate.compute.loading import nova_interface
from nova_pt_migrate.compute.loading import os_vif_plugin
from nova_pt_migrate.core import errors


class TestDriverClass(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def stopped(self, name: str) -> str:
        error = self.assertRaises(SystemExit, driver_class.driver_class, name)
        self.assertEqual(1, error.code)
        return self.log.output

    def test_the_driver_is_a_compute_driver(self) -> None:
        found = driver_class.driver_class('PassthroughLibvirtDriver')
        self.assertTrue(issubclass(found, virt_driver.ComputeDriver))

    def test_a_misspelt_driver_is_one_sentence(self) -> None:
        text = self.stopped('PassthruDriver')
        self.assertIn('pt_migrate.PassthruDriver', text)
        self.assertIn('pt_migrate.PassthroughLibvirtDriver', text)
        self.assertEqual(1, text.count('\n'))

    def test_pythons_own_names_are_no_drivers(self) -> None:
        self.assertRaises(
            AttributeError, driver_class.driver_class, '__path__'
        )

    def test_a_nova_that_does_not_fit_is_one_sentence(self) -> None:
        self.useFixture(
            fixtures.MockPatchObject(
                nova_interface,
                'check',
                side_effect=errors.CannotStart('Too new.'),
            )
        )
        self.assertIn('Too new.', self.stopped('PassthroughLibvirtDriver'))

    def test_a_driver_that_does_not_import_says_why(self) -> None:
        self.hide_driver()
        text = self.stopped('PassthroughLibvirtDriver')
        self.assertIn('ModuleNotFoundError', text)

    def hide_driver(self) -> None:
        name = 'nova_pt_migrate.compute.driver'
        before = sys.modules.get(name)

        def restore() -> None:
            sys.modules.pop(name)
            if before is not None:
                sys.modules[name] = before

        self.addCleanup(restore)
        sys.modules[name] = None  # type: ignore[assignment]


class TestOsVifPlugin(testtools.TestCase):
    def test_other_programs_import_it_without_nova(self) -> None:
        """They have os-vif, and need not have Nova."""
        code = (
            'import sys; sys.modules["nova"] = None; '
            f'import {os_vif_plugin.__name__}'
        )
        run = subprocess.run(
            [sys.executable, '-c', code],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(0, run.returncode, run.stderr)

    def test_nova_virt_is_extended_once(self) -> None:
        before = list(nova.virt.__path__)
        self.addCleanup(nova.virt.__path__.__init__, before)
        os_vif_plugin.PtMigratePlugin.load('pt_migrate')
        os_vif_plugin.PtMigratePlugin.load('pt_migrate')
        self.assertEqual(
            1, nova.virt.__path__.count(str(os_vif_plugin._DIRECTORY))
        )

    def test_os_vif_finds_it_by_its_entry_point(self) -> None:
        os_vif.initialize(reset=True)
        plugin = os_vif._EXT_MANAGER['pt_migrate'].obj
        self.assertEqual(
            {'VIFBridge', 'VIFOpenVSwitch', 'VIFGeneric'},
            {info.vif_object_name for info in plugin.describe().vif_info},
        )

    def test_a_failure_is_logged_and_ends_nobody(self) -> None:
        log = self.useFixture(fixtures.FakeLogger())
        self.useFixture(
            fixtures.MockPatchObject(
                os_vif_plugin, '_extend', side_effect=OSError('disk')
            )
        )
        os_vif_plugin.PtMigratePlugin.load('pt_migrate')
        self.assertIn('will not be found', log.output)
