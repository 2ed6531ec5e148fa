# SPDX-License-Identifier: Apache-2.0
"""Whatever of Nova's is private stands in one of the tables."""

import ast
from collections.abc import Iterator
import pathlib

from nova.virt.libvirt import driver as libvirt_driver
import testtools

from nova_pt_migrate.compute.loading import nova_attributes
from nova_pt_migrate.compute.loading import nova_interface

COMPUTE = pathlib.Path(nova_interface.__file__).parents[1]
OURS = '_pt'
"""What the names begin with that ours have among Nova's."""
TABLE = {
    path.rpartition('.')[2].rpartition(':')[2] for path in nova_interface.PARTS
} | {name for names in nova_attributes.ATTRIBUTES.values() for name in names}
OTHERS = {'_exit'}
"""Of Python's standard library."""


def is_private(name: str) -> bool:
    return name.startswith('_') and not name.startswith(('__', OURS))


def touched(tree: ast.AST, extends_nova: bool) -> Iterator[str]:
    """Yield the private names that a module has from others.

    :param extends_nova: its classes are derived from Nova's driver, so that
        what is private there is private here, too
    """
    own = set(_defined(tree))
    for node in ast.walk(tree):
        name = _name(node)
        if name is None or not is_private(name) or name in OTHERS:
            continue
        novas = extends_nova and name in NOVAS
        if novas or _is_of_another(node) or name not in own:
            yield name


NOVAS = {
    name
    for cls in libvirt_driver.LibvirtDriver.__mro__
    for name in vars(cls)
    if is_private(name)
}


def _is_of_another(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id='self' | 'cls')):
            return False
    return isinstance(node, ast.Attribute)


def _name(node: ast.AST) -> str | None:
    """Return the name of a member that a piece of code asks for or makes."""
    match node:
        case ast.Attribute(attr=name) | ast.FunctionDef(name=name):
            return name
        case ast.Call(
            func=ast.Name(id='getattr' | 'setattr'),
            args=[_, ast.Constant(value=str(name)), *_],
        ):
            return name
    return None


def _defined(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module gives to members of its own."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                yield name
            case ast.Attribute(
                value=ast.Name(id='self'), attr=name, ctx=ast.Store()
            ):
                yield name


class TestPrivateNames(testtools.TestCase):
    def found(self) -> dict[str, set[str]]:
        return {
            str(path.relative_to(COMPUTE)): set(
                touched(
                    ast.parse(path.read_text()),
                    path.parent.name == 'hooks' or path.stem == 'driver',
                )
            )
            for path in COMPUTE.rglob('*.py')
            if path.parent.name != 'loading'
        }

    def test_each_is_in_a_table(self) -> None:
        found = self.found()
        self.assertEqual(
            {},
            {
                path: names - TABLE
                for path, names in found.items()
                if names - TABLE
            },
        )
        self.assertIn('_hard_reboot', found['hooks/power.py'])
        self.assertIn('_domain', found['hooks/wide_guest.py'])

    def test_no_table_has_what_nobody_touches(self) -> None:
        """nova-compute would not start for nothing."""
        touched_anywhere = {
            name
            for path in COMPUTE.rglob('*.py')
            if path.parent.name != 'loading'
            for node in ast.walk(ast.parse(path.read_text()))
            if (name := _name(node))
        }
        of_objects = {
            name
            for names in nova_attributes.ATTRIBUTES.values()
            for name in names
        }
        self.assertEqual(set(), of_objects - touched_anywhere)

    def test_one_that_is_in_none_is_found(self) -> None:
        for code, extends in (
            ('driver._secret()', False),
            ('getattr(driver, "_secret", None)', False),
            ('class A(Hooks):\n    def _create_guest(self): pass', True),
            ('class A:\n    def f(self): self._secret.run()', False),
        ):
            names = set(touched(ast.parse(code), extends))
            self.assertNotEqual(set(), names - TABLE, code)

    def test_our_own_are_not(self) -> None:
        for code in (
            'class A:\n    def f(self): self._mine = 1; self._mine.run()',
            'class A:\n    _mine: int\n    def f(self): return self._mine',
            'class A(Hooks):\n    def _pt_mine(self): self._pt.mine()',
        ):
            self.assertEqual(set(), set(touched(ast.parse(code), True)), code)
