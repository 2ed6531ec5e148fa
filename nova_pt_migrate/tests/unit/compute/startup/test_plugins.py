# SPDX-License-Identifier: Apache-2.0

import pathlib
import sys

import fixtures
from stevedore import extension
import testtools

from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import errors
from nova_pt_migrate.pairing import none


class TestPairings(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        # stevedore remembers for the life of the process what is installed.
        self.useFixture(
            fixtures.MockPatchObject(
                extension.ExtensionManager, 'ENTRY_POINT_CACHE', new={}
            )
        )

    def install(self, package: str, entry_points: str) -> None:
        """Put a distribution with entry points on sys.path."""
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        info = folder / f'{package}-1.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(
            f'Metadata-Version: 2.1\nName: {package}\nVersion: 1\n'
        )
        (info / 'entry_points.txt').write_text(
            f'[{plugins.PAIRINGS}]\n{entry_points}\n'
        )
        self.useFixture(
            fixtures.MonkeyPatch('sys.path', [*sys.path, str(folder)])
        )

    def refusal(self, *names: str) -> str:
        return str(
            self.assertRaises(errors.CannotStart, plugins.pairings, names)
        )

    def test_the_pairings_of_this_package_are_there(self) -> None:
        found = plugins.pairings(['failover', 'none', 'bond'])
        self.assertEqual(['failover', 'none', 'bond'], list(found))
        self.assertIsInstance(found['none'], none.NonePairing)
        self.assertLessEqual(set(found), set(plugins.available()))

    def test_no_pairing_at_all_is_allowed(self) -> None:
        self.assertEqual({}, plugins.pairings([]))

    def test_an_unknown_name_is_refused_with_those_known(self) -> None:
        text = self.refusal('bund')
        self.assertIn('bund', text)
        self.assertIn('none', text)

    def test_a_name_given_twice_is_refused(self) -> None:
        self.assertIn('twice', self.refusal('none', 'none'))

    def test_a_name_provided_twice_names_both_providers(self) -> None:
        self.install('rival', 'none = rival.pairing:None_')
        text = self.refusal('none')
        self.assertIn('rival.pairing:None_', text)
        self.assertIn('nova_pt_migrate.pairing.none:NonePairing', text)

    def test_a_plugin_that_does_not_import_is_named_with_why(self) -> None:
        self.install('broken', 'broken = no_such_module_at_all:Pairing')
        text = self.refusal('broken')
        self.assertIn('no_such_module_at_all:Pairing', text)
        self.assertIn('ModuleNotFoundError', text)
