# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab.build import initramfs
from lab.guests import image
from lab.guests import managers


class ImageTest(unittest.TestCase):
    def test_its_name_is_of_what_it_is_made_from(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        setup = settings.Settings(folder)
        with mock.patch.object(
            initramfs, 'kernel', autospec=True, return_value='6.12'
        ):
            disks = {image.disk(setup, each) for each in managers.MANAGERS}
            again = {image.disk(setup, each) for each in managers.MANAGERS}
        self.assertEqual(disks, again)
        self.assertEqual(len(managers.MANAGERS), len(disks))
        with mock.patch.object(
            initramfs, 'kernel', autospec=True, return_value='6.13'
        ):
            disk = image.disk(setup, managers.MANAGERS[0])
        self.assertNotIn(disk, disks)
