# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab.build import host_image


class LinkTreeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = pathlib.Path(folder.name, 'source')
        self.target = pathlib.Path(folder.name, 'target')
        for name in ('etc/deep/file', 'usr/share/doc/package/text'):
            path = self.source / name
            path.parent.mkdir(parents=True)
            path.write_text(name)

    def _link(self, *left_out: str) -> None:
        host_image.link_tree(self.source, self.target, frozenset(left_out))

    def test_files_are_the_same_files(self):
        self._link()
        name = 'etc/deep/file'
        self.assertTrue((self.source / name).samefile(self.target / name))

    def test_a_folder_that_is_left_out_stays_empty(self):
        self._link('usr/share/doc')
        self.assertEqual([], os.listdir(self.target / 'usr/share/doc'))

    def test_links_to_folders_and_to_nothing_stay_links(self):
        (self.source / 'lib').symlink_to('usr')
        (self.source / 'broken').symlink_to('nowhere')
        self._link()
        self.assertEqual('usr', os.readlink(self.target / 'lib'))
        self.assertEqual('nowhere', os.readlink(self.target / 'broken'))

    def test_folders_keep_their_mode(self):
        (self.source / 'etc/deep').chmod(0o1777)
        self._link()
        mode = (self.target / 'etc/deep').stat().st_mode & 0o7777
        self.assertEqual(0o1777, mode)


class ContentTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setup = settings.Settings(pathlib.Path(folder.name))
        self.status = self.setup.tree / 'var/lib/dpkg/status'
        self.status.parent.mkdir(parents=True)
        self.status.write_text('Package: qemu\n')

    def test_same_packages_same_image(self):
        self.assertEqual(
            host_image.disk(self.setup), host_image.disk(self.setup)
        )

    def test_other_packages_of_debian_other_image(self):
        before = host_image.disk(self.setup)
        self.status.write_text('Package: qemu\nPackage: more\n')
        self.assertNotEqual(before, host_image.disk(self.setup))

    def test_other_packages_of_python_other_image(self):
        before = host_image.disk(self.setup)
        venv = self.setup.tree / self.setup.venv[1:]
        (venv / 'lib/python3/site-packages/nova-34.0.0.dist-info').mkdir(
            parents=True
        )
        self.assertNotEqual(before, host_image.disk(self.setup))

    def test_other_files_of_ours_other_image(self):
        before = host_image.disk(self.setup)
        with mock.patch.object(
            host_image, '_files', return_value=iter(()), autospec=True
        ):
            self.assertNotEqual(before, host_image.disk(self.setup))

    def test_what_is_bound_into_the_tree_is_left_out(self):
        bound = str(self.setup.folder).lstrip('/')
        self.assertIn(bound, host_image._left_out(self.setup))
