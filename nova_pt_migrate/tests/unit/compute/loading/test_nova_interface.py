# SPDX-License-Identifier: Apache-2.0

import importlib.metadata
import pathlib

import fixtures
from nova.virt.libvirt import driver as libvirt_driver
import testtools

from nova_pt_migrate.compute.loading import nova_attributes
from nova_pt_migrate.compute.loading import nova_interface
from nova_pt_migrate.core import errors

DOCUMENT = pathlib.Path(__file__).parents[5] / 'doc/source/reference/nova.rst'


class TestCheck(testtools.TestCase):
    def test_the_installed_nova_is_as_known(self) -> None:
        self.assertEqual([], nova_interface.check())

    def test_a_changed_signature_is_named(self) -> None:
        def changed(self: object, context: object, more: object) -> None:
            """Stands in for another release of Nova."""

        self.useFixture(
            fixtures.MockPatchObject(
                libvirt_driver.LibvirtDriver,
                '_reattach_instance_vifs',
                new=changed,
            )
        )
        text = str(self.assertRaises(errors.CannotStart, nova_interface.check))
        self.assertIn('LibvirtDriver._reattach_instance_vifs', text)
        self.assertIn('(self, context, more)', text)
        self.assertIn('network_info', text)

    def test_a_part_that_is_gone_is_named(self) -> None:
        self.useFixture(
            fixtures.MockPatchObject(
                nova_interface,
                'PARTS',
                {'nova.virt.libvirt.guest:Guest.teleport': ('self',)},
            )
        )
        text = str(self.assertRaises(errors.CannotStart, nova_interface.check))
        self.assertIn('nova.virt.libvirt.guest.Guest.teleport', text)

    def assert_lacking(self, table: str, path: str, entry: object) -> None:
        """An entry that this Nova has not stops it, by name."""
        self.useFixture(
            fixtures.MockPatchObject(nova_attributes, table, {path: entry})
        )
        text = str(self.assertRaises(errors.CannotStart, nova_interface.check))
        self.assertIn(path.replace(':', '.'), text)
        self.assertIn('teleporter', text)

    def test_an_attribute_that_is_gone_is_named(self) -> None:
        self.assert_lacking(
            'ATTRIBUTES',
            'nova.compute.manager:ComputeManager',
            ('rt', '_teleporter'),
        )

    def test_a_class_that_is_gone(self) -> None:
        self.assert_lacking(
            'ATTRIBUTES', 'nova.compute.manager:Gone', ('_teleporter',)
        )

    def test_a_value_that_is_another_is_named(self) -> None:
        for method in ('live_migration', 'gone'):
            self.assert_lacking(
                'CODE',
                f'nova.compute.manager:ComputeManager.{method}',
                ('future', 'migration', 'teleporter'),
            )

    def test_the_order_counts(self) -> None:
        for wanted, known in (
            (('migration', 'future', 'BUILD_TUPLE'), True),
            (('future', 'migration', 'BUILD_TUPLE'), False),
        ):
            self.useFixture(
                fixtures.MockPatchObject(
                    nova_attributes,
                    'CODE',
                    {
                        'nova.compute.manager:ComputeManager.live_migration': (
                            wanted
                        )
                    },
                )
            )
            self.assertIs(known, not list(nova_attributes.missing()))

    def test_every_attribute_is_documented(self) -> None:
        text = DOCUMENT.read_text()
        for path, names in nova_attributes.ATTRIBUTES.items():
            self.assertIn(f'``{path.rpartition(":")[2]}``', text)
            for name in names:
                self.assertIn(f'``{name}``', text, path)

    def test_an_untested_release_is_a_warning_with_the_tested(self) -> None:
        self.useFixture(
            fixtures.MockPatchObject(
                importlib.metadata, 'version', return_value='99.1.0'
            )
        )
        (warning,) = nova_interface.check()
        self.assertIn('99.1.0', warning)
        self.assertIn('34', warning)

    def test_every_part_is_documented(self) -> None:
        text = DOCUMENT.read_text()
        for part in nova_interface.PARTS:
            _, _, name = part.partition(':')
            self.assertIn(f'``{name}``', text, part)
