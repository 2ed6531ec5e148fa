# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

DEMO = pathlib.Path(__file__).parents[4] / 'tools' / 'demo'
COMMANDS = (
    *('apt-cache', 'apt-get', 'dpkg-deb', 'ip', 'mount', 'python3', 'wget'),
)
NEEDED = ('ip', 'mount', 'dpkg-deb', 'wget')


class DemoCommandTest(unittest.TestCase):
    """tools/demo on a machine whose commands are all made up."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for command in ('dirname', 'ls'):
            (self.folder / command).symlink_to(str(shutil.which(command)))
        for command in COMMANDS:
            self._command(command, 'exit 0')
        self._command('id', 'echo 0')
        self._command('uname', 'echo x86_64')
        self._command('df', 'echo; echo disk 0 0 90000000')
        self._command('awk', 'echo 90')

    def _command(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)

    def _check(self) -> tuple[int, str]:
        environment = {'PATH': str(self.folder)}
        environment['PT_LAB_DIR'] = str(self.folder / 'lab')
        done = subprocess.run(
            ['/bin/sh', str(DEMO), '--check'],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stderr

    @unittest.skipUnless(os.path.exists('/dev/net/tun'), 'no /dev/net/tun')
    def test_a_machine_that_has_everything(self):
        self.assertEqual((0, ''), self._check())

    def test_everything_that_is_missing_is_said_at_once(self):
        for command in NEEDED:
            (self.folder / command).unlink()
        status, said = self._check()
        self.assertEqual(2, status)
        for command in NEEDED:
            self.assertIn(f'the command {command}\n', said)
        self.assertIn('apt-get install iproute2', said)

    def test_a_user_who_is_not_root(self):
        self._command('id', 'echo 1000')
        self.assertIn('sudo tools/demo', self._check()[1])

    def test_a_python_that_is_too_old(self):
        self._command('python3', 'test "$1" = -V && echo Python 3.9; exit 1')
        self.assertIn('newer: this is Python 3.9', self._check()[1])

    def test_a_machine_that_never_fetched_the_list_of_packages(self):
        self._command('apt-cache', 'exit 100')
        self.assertIn('apt-get update', self._check()[1])

    def test_too_little_room(self):
        self._command('awk', 'echo 3')
        said = self._check()[1]
        self.assertIn('8 GB of disk: 3 GB are free', said)
        self.assertIn('12 GB of memory: 3 GB are available', said)
