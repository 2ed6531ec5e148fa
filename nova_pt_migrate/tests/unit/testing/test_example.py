# SPDX-License-Identifier: Apache-2.0
"""The example of the documents is a package that the service takes."""

import io
import pathlib
import shutil
import subprocess
import sys
import unittest

import fixtures
from stevedore import extension
import testtools

import nova_pt_migrate
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.testing import pairing_contract
from nova_pt_migrate.tests.unit.testing import suites

EXAMPLE = (
    pathlib.Path(nova_pt_migrate.__file__).parent.parent
    / 'examples/routed-pairing'
)
BUILD = """
import sys
from setuptools import build_meta
build_meta.prepare_metadata_for_build_wheel(sys.argv[1])
"""


class ExampleTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        # What it is built and imported in is nobody else's.
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.example = folder / 'example'
        self.installed = folder / 'installed'
        shutil.copytree(EXAMPLE, self.example)
        self.installed.mkdir()
        for path in self.example.glob('*.py'):
            self.addCleanup(sys.modules.pop, path.stem, None)
        self.useFixture(
            fixtures.MonkeyPatch(
                'sys.path',
                [*sys.path, str(self.installed), str(self.example)],
            )
        )
        # stevedore remembers for the life of the process what is installed.
        self.useFixture(
            fixtures.MockPatchObject(
                extension.ExtensionManager, 'ENTRY_POINT_CACHE', new={}
            )
        )

    def test_the_service_takes_it_by_its_name(self) -> None:
        subprocess.run(
            [sys.executable, '-c', BUILD, str(self.installed)],
            cwd=self.example,
            check=True,
            capture_output=True,
            timeout=120,
        )
        found = plugins.pairings(['none', 'routed'])
        self.assertEqual(['none', 'routed'], list(found))
        self.assertEqual('RoutedPairing', type(found['routed']).__name__)

    def test_it_passes_its_tests_and_the_suite_is_among_them(self) -> None:
        tests = unittest.TestLoader().discover(str(self.example))
        said = io.StringIO()
        result = unittest.TextTestRunner(said, verbosity=2).run(tests)
        self.assertTrue(result.wasSuccessful(), said.getvalue())
        for rule in suites.names(pairing_contract.PairingContract):
            self.assertIn(f'{rule} (', said.getvalue())
