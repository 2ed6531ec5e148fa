# SPDX-License-Identifier: Apache-2.0
"""Tests that hang, each in a process of its own, fail and let others run."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

from nova_pt_migrate.tests import limit

HANGING = '''
    import threading
    import time
    import unittest

    import testtools

    from nova_pt_migrate.tests import limit

    limit.impose()
    {settings}

    class HangingTest({base}.TestCase):
        def setUp(self):
            super().setUp()
            threading.Thread(target=self.wait_elsewhere, daemon=True).start()

        def wait_elsewhere(self):
            threading.Event().wait()

        def test_1(self):
            {what}

        def test_2(self):
            pass
'''
RUNNERS = {'unittest': 'unittest', 'testtools': 'testtools.run'}
"""By the package that has the test's class."""


class LimitTest(unittest.TestCase):
    def run_tests(
        self, base: str, what: str, settings: str = ''
    ) -> tuple[int, str]:
        """Return the exit code and what was said of two tests."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        text = HANGING.format(base=base, what=what, settings=settings)
        (folder / 'hanging.py').write_text(textwrap.dedent(text))
        done = subprocess.run(
            [sys.executable, '-m', RUNNERS[base], 'hanging'],
            env={
                **os.environ,
                limit.VARIABLE: '1',
                'PYTHONPATH': f'{folder}:{os.getcwd()}',
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def assert_next_one_ran(self, code: int, said: str) -> None:
        self.assertEqual(1, code, said)
        self.assertIn('Ran 2 tests', said)
        self.assertIn('took longer than 1 s (OS_TEST_TIMEOUT)', said)
        self.assertIn('in wait_elsewhere', said)

    def test_it_hangs(self) -> None:
        for base in ('unittest', 'testtools'):
            with self.subTest(base):
                code, said = self.run_tests(base, 'threading.Event().wait()')
                self.assert_next_one_ran(code, said)
                self.assertRegex(said, r'(errors|failures)=1\)')

    def test_a_clean_up_hangs_as_well(self) -> None:
        """Nova's code handles exceptions, and this is none."""
        code, said = self.run_tests(
            'testtools',
            'self.addCleanup(threading.Event().wait); self.wait_elsewhere()',
            'limit.AGAIN = 0.5',
        )
        self.assert_next_one_ran(code, said)
        strikes = re.findall('^hanging.* took longer', said, re.MULTILINE)
        self.assertEqual(2, len(strikes), said)

    def test_what_cannot_be_interrupted(self) -> None:
        code, said = self.run_tests(
            'testtools',
            'import signal; signal.pthread_sigmask('
            'signal.SIG_BLOCK, [signal.SIGALRM]); time.sleep(99)',
            'limit.ENOUGH = 0.5',
        )
        self.assertEqual(1, code, said)
        self.assertIn('Timeout (0:00:01.500000)!', said)
        self.assertIn('in wait_elsewhere', said)
        self.assertNotIn('Ran', said)

    def test_every_test_has_one(self) -> None:
        """This one, for example."""
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        if limit.seconds():
            self.assertGreater(left, 0.0)
        self.assertGreater(limit.DEFAULT, 0)
