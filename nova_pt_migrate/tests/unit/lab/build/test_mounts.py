# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.build import mounts


class MountsTest(unittest.TestCase):
    """A folder like that of a lab, with nothing running."""

    def setUp(self):
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.setup = settings.Settings(pathlib.Path(folder))
        (self.setup.tree / 'etc').mkdir(parents=True)
        self.precious = self.setup.tree / 'etc' / 'precious'
        self.precious.write_text('of the machine')

    def test_mounts_below_the_folder_are_found_in_order(self):
        self.assertEqual([], mounts.mounted(self.setup))
        root = settings.Settings(pathlib.Path('/'))
        self.assertIn(pathlib.Path('/proc'), mounts.mounted(root))

    def test_a_folder_is_deleted(self):
        mounts.delete(self.setup, self.setup.tree)
        self.assertEqual([], list(self.setup.folder.iterdir()))

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
