# SPDX-License-Identifier: Apache-2.0

import importlib.util
import pathlib
import sys
import textwrap
from typing import Any

import fixtures
import testtools

TOOL = pathlib.Path(__file__).parents[4] / 'tools/check-imports.py'
TABLE = """
["one.low"]
about = "values"
imports = []
without = ["*"]

["one.high"]
about = "all the rest"
imports = ["one.low"]
without = ["nova"]

["one.high.top"]
about = "a module beside the others"
imports = ["one.high", "one.low"]
"""


def load() -> Any:
    spec = importlib.util.spec_from_file_location('check_imports', TOOL)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # What dataclasses look their module up by.
    sys.modules['check_imports'] = module
    spec.loader.exec_module(module)
    return module


class TestCheckImports(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tool = load()
        self.addCleanup(sys.modules.pop, 'check_imports')
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def wrong(self) -> list[str]:
        rooms = self.tool.read(TABLE)
        found: list[str] = self.tool.wrong_imports(self.root, rooms)
        return found

    def test_what_the_table_allows_passes(self) -> None:
        self.write('one/low/values.py', 'import dataclasses\n')
        self.write('one/high/use.py', 'from one.low import values\n')
        self.write('one/high/top.py', 'from one.high import use\n')
        self.assertEqual([], self.wrong())

    def test_an_import_upwards_is_named_with_its_line(self) -> None:
        self.write(
            'one/low/values.py', 'import os\nfrom one.high import use\n'
        )
        self.assertEqual(
            ['one/low/values.py:2: one.low must not import one.high.use'],
            self.wrong(),
        )

    def test_a_module_may_be_a_room_of_its_own(self) -> None:
        self.write('one/high/use.py', 'from one.high import top\n')
        self.assertIn('must not import one.high.top', self.wrong()[0])

    def test_an_import_in_a_function_counts(self) -> None:
        self.write(
            'one/low/values.py',
            """
            def late():
                from one.high import use
            """,
        )
        self.assertEqual(1, len(self.wrong()))

    def test_packages_of_others(self) -> None:
        self.write('one/low/values.py', 'import lxml\n')
        self.write('one/high/use.py', 'import lxml\nfrom nova import test\n')
        self.assertEqual(
            [
                'one/high/use.py:2: one.high must not import nova.test',
                'one/low/values.py:1: one.low must not import lxml',
            ],
            self.wrong(),
        )

    def test_a_folder_that_is_no_room(self) -> None:
        self.write('one/other/new.py', 'import os\n')
        self.assertIn('say in rooms.toml', self.wrong()[0])

    def test_a_package_that_is_never_entered_is_banned_as_a_whole(
        self,
    ) -> None:
        other = '["two.low"]\nabout = "others"\nimports = []\n'
        rooms = self.tool.read(TABLE + other)
        self.assertEqual(
            ['lxml', 'nova_pt_migrate', 'one.high', 'one.high.top', 'two'],
            self.tool.banned(rooms['one.low'], rooms, {'lxml'}),
        )

    def test_a_circle_of_rooms(self) -> None:
        table = TABLE.replace('imports = []', 'imports = ["one.high.top"]')
        exc = self.assertRaises(ValueError, self.tool.read, table)
        self.assertIn('circle', str(exc))

    def test_a_room_that_there_is_not(self) -> None:
        table = TABLE.replace('imports = []', 'imports = ["one.lowest"]')
        exc = self.assertRaises(ValueError, self.tool.read, table)
        self.assertIn('one.lowest', str(exc))
