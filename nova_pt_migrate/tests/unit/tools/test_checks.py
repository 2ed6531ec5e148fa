# SPDX-License-Identifier: Apache-2.0

import pathlib
import subprocess
import sys
import time
import unittest

from tools.runner import checks
from tools.runner import environment

LATER = 600.0
COMMAND = pathlib.Path(environment.ROOT) / 'tools/test'


class ComplaintTest(unittest.TestCase):
    def _run(self, program: str, seconds: float = LATER) -> str | None:
        deadline = time.monotonic() + seconds
        return checks.complaint(['python', '-c', program], deadline)

    def test_a_program_passes(self):
        self.assertIsNone(self._run('print("fine")'))

    def test_a_program_fails(self):
        said = self._run('import sys; print("line 3"); sys.exit("too long")')
        self.assertEqual({'line 3', 'too long'}, set((said or '').split('\n')))

    def test_a_program_hangs(self):
        said = self._run('import threading; threading.Event().wait()', 0.0)
        self.assertIn('ended by the time limit', said or '')


class PartsTest(unittest.TestCase):
    def test_every_program_in_tools_is_type_checked(self):
        self.assertIn('tools/test', checks.programs())
        self.assertIn('tools/check-imports.py', checks.programs())
        self.assertNotIn('tools/demo', checks.programs())

    def test_every_shell_script_is_checked(self):
        self.assertIn('tools/demo', checks.scripts())
        self.assertNotIn('tools/test', checks.scripts())


class CommandTest(unittest.TestCase):
    """tools/test, as far as it says no before it makes anything."""

    def _refused(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, COMMAND, *words],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(2, done.returncode, done.stdout)
        return done.stderr

    def test_a_part_that_is_none(self):
        self.assertIn('the parts are lint, types', self._refused('units'))

    def test_patterns_are_for_tests(self):
        said = self._refused('lint', 'unit', '--', 'test_pairs')
        self.assertIn('with patterns name unit, functional, or both', said)

    def test_a_limit_that_is_no_number(self):
        self.assertIn('invalid float value', self._refused('--limit', '5m'))
