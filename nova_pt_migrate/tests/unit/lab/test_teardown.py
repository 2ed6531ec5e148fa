# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest
from unittest import mock

from lab import lock
from lab import settings
from lab import shell
from lab import teardown
from lab.network import namespace


class WipeTest(unittest.TestCase):
    """A folder like that of a lab, with nothing running."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setup = settings.Settings(pathlib.Path(folder.name, '.lab'))
        (self.setup.tree / 'etc').mkdir(parents=True)
        self.precious = self.setup.tree / 'etc' / 'precious'
        self.precious.write_text('of the machine')
        for name in ('exists', 'remove'):
            patch = mock.patch.object(
                namespace, name, autospec=True, return_value=False
            )
            patch.start()
            self.addCleanup(patch.stop)

    def _names(self) -> set[str]:
        return {path.name for path in self.setup.folder.iterdir()}

    def test_only_the_cache_and_the_lock_are_kept(self):
        self.setup.cache.mkdir()
        with lock.held(self.setup):
            teardown.down(self.setup, wipe=True)
        self.assertEqual({'cache', 'lock'}, self._names())

    def test_a_wipe_keeps_other_commands_out_until_its_end(self):
        with lock.held(self.setup):
            teardown.down(self.setup, wipe=True)
            with (
                self.assertRaisesRegex(shell.Failed, 'is changing this lab'),
                lock.held(self.setup),
            ):
                self.fail('both hold it')

    def test_without_being_told_nothing_is_deleted(self):
        teardown.down(self.setup)
        self.assertTrue(self.precious.exists())
