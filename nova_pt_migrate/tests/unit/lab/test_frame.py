# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import signal
import sys

import fixtures
import testtools

from lab import settings
from lab import shell
from lab import stages


class FrameTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = self.useFixture(fixtures.TempDir()).path
        self.setup = settings.Settings(pathlib.Path(folder))


class SettingsTest(FrameTest):
    def test_the_folder_can_be_elsewhere(self) -> None:
        self.useFixture(
            fixtures.EnvironmentVariable('PT_LAB_DIR', '/somewhere/else')
        )
        self.assertEqual(
            pathlib.Path('/somewhere/else/log'), settings.load().log
        )

    def test_a_mirror_can_be_set(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable('PT_LAB_MIRROR'))
        self.assertEqual('', settings.load().mirror)
        self.useFixture(
            fixtures.EnvironmentVariable('PT_LAB_MIRROR', 'http://a/debian')
        )
        self.assertEqual('http://a/debian', settings.load().mirror)

    def test_an_unknown_host_names_the_known(self) -> None:
        error = self.assertRaises(LookupError, self.setup.host, 'cmp3')
        self.assertIn('cmp1, cmp2', str(error))


class ShellTest(FrameTest):
    def python(self, code: str) -> list[str]:
        return [sys.executable, '-c', code]

    def test_output_comes_back(self) -> None:
        out = shell.run(
            self.python('print(input())'), timeout=60, input='word\n'
        )
        self.assertEqual('word\n', out)

    def test_a_failure_says_what_the_program_said(self) -> None:
        error = self.assertRaises(
            shell.Failed,
            shell.run,
            self.python('import sys; sys.exit("no such thing")'),
            timeout=60,
        )
        self.assertIn('no such thing', str(error))

    def test_a_program_that_hangs_is_ended(self) -> None:
        error = self.assertRaises(
            shell.Failed,
            shell.run,
            self.python('import signal; signal.pause()'),
            timeout=0.2,
        )
        self.assertIn('no end after 0.2 s', str(error))

    def test_what_was_spawned_is_known_and_can_be_ended(self) -> None:
        pid = shell.spawn(
            self.setup, 'sleeper', self.python('import signal; signal.pause()')
        )
        self.assertTrue(shell.alive(self.setup, 'sleeper'))
        shell.stop(self.setup, 'sleeper')
        self.assertFalse(shell.alive(self.setup, 'sleeper'))
        os.waitpid(pid, 0)
        shell.stop(self.setup, 'sleeper')

    def test_another_process_with_the_same_id_is_left_alone(self) -> None:
        self.setup.run.mkdir()
        (self.setup.run / 'old.pid').write_text(f'{os.getpid()} 1\n')
        self.assertFalse(shell.alive(self.setup, 'old'))
        self.useFixture(fixtures.MonkeyPatch('lab.shell._signal', self.never))
        shell.stop(self.setup, 'old')

    def never(self, pid: int, number: signal.Signals) -> None:
        self.fail(f'{pid} was sent {number}')

    def test_what_does_not_come_is_named(self) -> None:
        error = self.assertRaises(
            shell.Failed, shell.wait_for, 'the end', lambda: False, 0, 0
        )
        self.assertIn('the end', str(error))


class StagesTest(FrameTest):
    def test_only_what_is_not_done_is_run(self) -> None:
        ran: list[str] = []
        said: list[str] = []
        ticks = iter(range(100))
        stages.run(
            [
                stages.Stage('one', lambda _s: ran.append('1'), bool),
                stages.Stage(
                    'two', lambda _s: ran.append('2'), lambda _s: False
                ),
            ],
            self.setup,
            said.append,
            lambda: float(next(ticks)),
        )
        self.assertEqual(['2'], ran)
        self.assertEqual('[   1.0 s] one: there already', said[0])
        self.assertEqual('[   4.0 s] two: done in 2.0 s', said[-1])

    def test_a_stamp_holds_for_its_content_only(self) -> None:
        stages.stamp(self.setup, 'tree', stages.digest('a', 1))
        self.assertTrue(
            stages.stamped(self.setup, 'tree', stages.digest('a', 1))
        )
        self.assertFalse(
            stages.stamped(self.setup, 'tree', stages.digest('a', 2))
        )
