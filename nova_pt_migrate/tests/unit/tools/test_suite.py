# SPDX-License-Identifier: Apache-2.0

import io
import os
import pathlib
import tempfile
import textwrap
import time
import unittest

import rich.console
from stestr.repository import util

from tools.runner import environment
from tools.runner import screen
from tools.runner import suite

LONG = 600.0
PASSES = '''
    class PassesTest(unittest.TestCase):
        def test_a(self):
            print('a line to nobody')

        @unittest.skip('no device')
        def test_b(self):
            pass
'''
FAILS = '''
    class FailsTest(unittest.TestCase):
        def test_a(self):
            self.fail('seen')
'''
DIES = '''
    class DiesTest(unittest.TestCase):
        def test_a(self):
            os.kill(os.getpid(), 9)

        def test_b(self):
            pass
'''
HANGS = '''
    class HangsTest(unittest.TestCase):
        def test_a(self):
            self.hang()

        def hang(self):
            threading.Event().wait()

        def test_b(self):
            pass
'''
FIXTURES = '''
    class BrokenTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise OSError('no bridge')

        def test_a(self):
            pass

    class LackingTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise unittest.SkipTest('no libvirt')

        def test_a(self):
            pass
'''
STAYS = '''
    def setUpModule():
        threading.Thread(target=stays).start()

    def stays():
        threading.Event().wait()

    class StaysTest(unittest.TestCase):
        def test_a(self):
            pass
'''
HEAD = 'import os\nimport threading\nimport unittest\n'


class StrikingScreen(screen.Screen):
    """Lets a limit strike when the test is seen to run that hangs."""

    job: suite.Job
    strikes = ''

    def due(self) -> bool:
        return True

    def progress(self, state: screen.Progress) -> None:
        hangs = any('HangsTest' in test for test, _ in state.running)
        if self.strikes and (hangs or state.done == state.total > 0):
            strikes, self.strikes = self.strikes, ''
            if strikes == 'interrupt':
                raise KeyboardInterrupt
            setattr(self.job, strikes, 0.0)

    def failure(self, result) -> None:
        self.job.silence = LONG
        super().failure(result)


class SuiteTest(unittest.TestCase):
    """Real workers on suites of a few tests."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        (self.top / 'suite').mkdir()
        (self.top / 'suite/__init__.py').touch()
        self.shown = io.StringIO()

    def _run(self, *sources: str, workers: int = 1, strikes: str = ''):
        for number, source in enumerate(sources):
            path = self.top / f'suite/test_{number}.py'
            path.write_text(HEAD + textwrap.dedent(source))
        job = suite.Job(
            top=self.top,
            folder='./suite',
            environment={**os.environ, 'PYTHONPATH': str(environment.ROOT)},
            patterns=[],
            workers=workers,
            deadline=time.monotonic() + LONG,
            silence=LONG,
            guess=1.0,
        )
        console = rich.console.Console(
            file=self.shown, soft_wrap=True, highlight=False
        )
        show = StrikingScreen(self.top / 'log', console)
        self.addCleanup(show.file.close)
        show.job = job
        show.strikes = strikes
        return suite.Suite(job, show).run()

    def _assert_counts(self, tally, *counts: int) -> None:
        found = (tally.passed, tally.failed, tally.skipped)
        self.assertEqual(counts, found, self.shown.getvalue())

    def test_it_passes(self):
        tally = self._run(PASSES, workers=2)
        self._assert_counts(tally, 1, 0, 1)
        self.assertNotIn('a line to nobody', self.shown.getvalue())
        self.assertIn('a line to nobody', (self.top / 'log').read_text())

    def test_what_fails_is_shown(self):
        tally = self._run(PASSES, FAILS)
        self._assert_counts(tally, 1, 1, 1)
        self.assertIn('AssertionError: seen', self.shown.getvalue())

    def test_a_worker_dies(self):
        tally = self._run(DIES, PASSES)
        self._assert_counts(tally, 2, 1, 1)
        shown = self.shown.getvalue()
        self.assertIn('FAILED suite.test_0.DiesTest.test_a', shown)
        self.assertIn('Worker 1 was ended by SIGKILL', shown)

    def test_a_test_hangs(self):
        tally = self._run(HANGS, strikes='silence')
        self._assert_counts(tally, 1, 1, 0)
        self.assertIn('in hang', self.shown.getvalue())

    def test_the_limit_of_the_whole(self):
        tally = self._run(HANGS, FAILS, strikes='deadline')
        self.assertEqual(
            {'suite.test_0.HangsTest.test_b', 'suite.test_1.FailsTest.test_a'},
            set(tally.not_run),
        )
        self._assert_counts(tally, 0, 3, 0)
        shown = self.shown.getvalue()
        self.assertIn('the time limit of the whole run', shown)
        self.assertIn('in hang', shown)

    def test_it_is_stopped_from_outside(self):
        tally = self._run(PASSES, HANGS, strikes='interrupt')
        self.assertTrue(tally.stopped)
        self.assertLessEqual(1, tally.failed)
        self.assertIn('was ended from outside', self.shown.getvalue())

    def test_the_fixture_of_a_class(self):
        tally = self._run(FIXTURES)
        self._assert_counts(tally, 0, 2, 2)
        self.assertIn('OSError: no bridge', self.shown.getvalue())
        self.assertEqual([], tally.not_run)

    def test_a_thread_does_not_end(self):
        tally = self._run(STAYS, strikes='silence')
        self._assert_counts(tally, 1, 1, 0)
        self.assertIn('nothing was heard', tally.problems[0])
        self.assertIn('in stays', tally.problems[0])

    def test_a_module_cannot_be_imported(self):
        tally = self._run(PASSES, 'import nothing_of_that_name', workers=2)
        self._assert_counts(tally, 0, 1, 0)
        self.assertIn('No module named', tally.problems[0])

    def test_no_test(self):
        self._assert_counts(self._run('pass'), 0, 1, 0)

    def test_results_are_kept(self):
        self._run(PASSES, FAILS)
        kept = util.get_repo_open(repo_url=str(self.top))
        failed = 'suite.test_1.FailsTest.test_a'
        self.assertIn(failed, kept.get_test_times([failed])['known'])
        self.assertIn(failed, kept.get_test_ids(kept.latest_id()))
