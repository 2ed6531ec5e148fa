# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import tempfile
import unittest

from lab import lock
from lab import settings
from lab import shell


class HeldTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setup = settings.Settings(pathlib.Path(folder.name, '.lab'))

    def test_a_second_command_is_told_who_was_first(self):
        with (
            lock.held(self.setup),
            self.assertRaisesRegex(shell.Failed, f'process {os.getpid()} '),
            lock.held(self.setup),
        ):
            self.fail('both hold it')

    def test_another_may_follow(self):
        for _ in range(2):
            with lock.held(self.setup):
                self.assertTrue((self.setup.folder / 'lock').exists())
