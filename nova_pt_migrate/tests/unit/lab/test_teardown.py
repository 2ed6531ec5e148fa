# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest
from unittest import mock

from lab import lock
from lab import settings
from lab import shell
from lab import teardown
from lab.build import mounts
from lab.network import namespace


class LabTest(unittest.TestCase):
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


class WipeTest(LabTest):
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


class DeleteTest(LabTest):
    def test_a_folder_is_deleted(self):
        mounts.delete(self.setup, self.setup.tree)
        self.assertEqual(set(), self._names())

    def test_nothing_is_deleted_where_something_is_mounted(self):
        def mounted(setup: settings.Settings) -> list[pathlib.Path]:
            return list(setup.folder.glob('deleting-*/etc'))

        with (
            mock.patch.object(mounts, 'mounted', autospec=True) as looked,
            self.assertRaisesRegex(shell.Failed, 'there are mounts in it'),
        ):
            looked.side_effect = mounted
            mounts.delete(self.setup, self.setup.tree)
        (kept,) = self.setup.folder.glob('deleting-*/etc/precious')
        self.assertEqual('of the machine', kept.read_text())
