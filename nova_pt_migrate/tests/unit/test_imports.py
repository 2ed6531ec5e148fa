# SPDX-License-Identifier: Apache-2.0

import ast
from collections.abc import Iterator
from collections.abc import Mapping
import graphlib
import pathlib
import subprocess
import sys

import testtools

import nova_pt_migrate

ROOT = pathlib.Path(nova_pt_migrate.__file__).parent.parent
HOSTS_LACK = ('ddt', 'fixtures', 'hypothesis', 'stestr', 'testtools')
"""What tests use, and the compute hosts of the lab do not have."""
SUITES = 'nova_pt_migrate.tests.lab'
TREES = ('nova_pt_migrate', 'lab', 'benchmarks')


def modules() -> dict[str, str]:
    """Return the source of each module by its name, without packages."""
    return {
        '.'.join(path.relative_to(ROOT).with_suffix('').parts): (
            path.read_text()
        )
        for tree in TREES
        for path in (ROOT / tree).rglob('*.py')
        if path.name != '__init__.py'
    }


def imported(source: str) -> Iterator[str]:
    """Yield what is imported: also in functions, and for types alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


def circle(sources: Mapping[str, str]) -> list[str]:
    """Return modules that import each other in turn; none is none."""
    graph = {
        name: sources.keys() & set(imported(source))
        for name, source in sources.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as exc:
        return list(exc.args[1])
    return []


class TestCircles(testtools.TestCase):
    def test_no_room_has_one(self) -> None:
        sources = modules()
        for tree in TREES:
            self.assertTrue([n for n in sources if n.startswith(f'{tree}.')])
        self.assertEqual([], circle(sources))

    def test_one_is_found_however_it_is_closed(self) -> None:
        for closing in (
            'from room import first',
            'from room.first import Name',
            'import room.first',
            'def f():\n    from room import first',
            'if TYPE_CHECKING:\n    from room import first',
        ):
            sources = {
                'room.first': 'from room import second',
                'room.second': 'from room import third',
                'room.third': closing,
            }
            self.assertEqual(4, len(circle(sources)), closing)
        self.assertEqual([], circle({**sources, 'room.third': ''}))


class TestLab(testtools.TestCase):
    def test_it_needs_nothing_that_its_hosts_lack(self) -> None:
        """The suites that run there are imported where that is missing."""
        suites = [n for n in modules() if n.startswith(f'{SUITES}.test_')]
        self.assertLessEqual(2, len(suites))
        without = f'sys.modules.update(dict.fromkeys({HOSTS_LACK}))'
        # The bindings are not needed here, and not installed.
        libvirt = "sys.modules['libvirt'] = mock.MagicMock()"
        ended = subprocess.run(
            [
                sys.executable,
                '-c',
                f'import sys; from unittest import mock; {without}; '
                f'{libvirt}; import {", ".join(suites)}',
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(0, ended.returncode, ended.stderr)
