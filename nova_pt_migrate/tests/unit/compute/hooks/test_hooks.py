# SPDX-License-Identifier: Apache-2.0

import ast
from collections.abc import Iterable
import inspect
import itertools
import pathlib

from nova.virt.libvirt import driver as libvirt_driver
import testtools

import nova_pt_migrate
from nova_pt_migrate.compute import driver

PACKAGE = pathlib.Path(nova_pt_migrate.__file__).parent
ALLOWED = ('compute/hooks/', 'compute/driver.py')


def overridden(kind: type) -> set[str]:
    """Return the attributes of Nova's driver that a class has anew."""
    return {
        name
        for name in vars(kind)
        if name not in ('__module__', '__doc__', '__annotations__')
        and hasattr(libvirt_driver.LibvirtDriver, name)
    }


def twice(kinds: Iterable[type]) -> list[str]:
    """Return what of Nova's more than one class overrides."""
    return [
        f'{name}: {one.__name__} and {other.__name__}'
        for one, other in itertools.combinations(kinds, 2)
        for name in sorted(overridden(one) & overridden(other))
    ]


def foreign_uses(tree: ast.AST) -> list[str]:
    """Return the uses of another object's attributes that begin with _pt."""
    return [
        f'line {node.lineno}: {ast.unparse(node)}'
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith('_pt')
        and not (isinstance(node.value, ast.Name) and node.value.id == 'self')
    ]


class TestMixins(testtools.TestCase):
    def test_none_overrides_what_another_does(self) -> None:
        mixins = [
            kind
            for kind in driver.PassthroughLibvirtDriver.__mro__
            if kind.__module__.startswith('nova_pt_migrate.')
        ]
        self.assertGreater(len(mixins), 4)
        self.assertEqual([], twice(mixins))

    def test_two_that_do_are_found(self) -> None:
        class One(libvirt_driver.LibvirtDriver):
            def detach_interface(self) -> None:
                """Nova has one, too."""

            def _pt_own(self) -> None:
                """Nova has none."""

        class Other(libvirt_driver.LibvirtDriver):
            def detach_interface(self) -> None:
                """Nova has one, too."""

        self.assertEqual(
            ['detach_interface: One and Other'], twice([One, Other])
        )


class TestOperations(testtools.TestCase):
    def test_nova_takes_over_wherever_it_changes_guest_or_host(self) -> None:
        kind = driver.PassthroughLibvirtDriver
        operations = {
            name
            for name in dir(kind)
            if hasattr(getattr(kind, name), 'operation')
        }
        self.assertEqual(
            {
                '_attach_direct_passthrough_ports',
                '_detach_direct_passthrough_ports',
                '_hard_reboot',
                '_live_migration',
                '_reattach_instance_vifs',
                '_pt_unplug',
                'attach_interface',
                'destroy',
                'detach_interface',
                'finish_revert_migration',
                'pause',
                'plug_vifs',
                '_pt_silence',
                'post_live_migration_at_destination',
                'power_off',
                'pre_live_migration',
                'reboot',
                'rescue',
                'resume',
                'rollback_live_migration_at_destination',
                'spawn',
                'suspend',
            },
            operations,
        )

    def test_the_signatures_are_those_of_nova(self) -> None:
        for name in ('reboot', 'power_off', 'pause', 'destroy'):
            ours, novas = (
                inspect.getfullargspec(getattr(kind, name))[:4]
                for kind in (
                    driver.PassthroughLibvirtDriver,
                    libvirt_driver.LibvirtDriver,
                )
            )
            self.assertEqual(novas, ours, name)


class TestPrivateAttributes(testtools.TestCase):
    def test_only_hooks_and_driver_touch_those_of_the_driver(self) -> None:
        used = {
            str(path.relative_to(PACKAGE)): foreign_uses(
                ast.parse(path.read_text())
            )
            for path in PACKAGE.rglob('*.py')
            if not str(path.relative_to(PACKAGE)).startswith(
                ('tests/', *ALLOWED)
            )
        }
        self.assertGreater(len(used), 100)
        self.assertEqual(
            {}, {name: uses for name, uses in used.items() if uses}
        )

    def test_one_that_does_is_found(self) -> None:
        self.assertEqual(
            ['line 1: compute.driver._pt'],
            foreign_uses(ast.parse('compute.driver._pt.healer.check()')),
        )
