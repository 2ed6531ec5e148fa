# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.build import initramfs
from lab.hosts import accel


class ChooseTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setup = settings.Settings(pathlib.Path(folder.name))
        self.setup.cache.mkdir()
        self.setup.log.mkdir()
        (self.setup.tree / 'boot').mkdir(parents=True)
        (self.setup.tree / 'boot/vmlinuz-6.12').touch()
        self.serial = self.setup.log / 'kvm-probe.log'

    def _choose(self, says: str, *, usable: bool = True) -> tuple[str, ...]:
        def run(argv: list[str], timeout: float) -> None:
            self.serial.write_text(says)
            if not says:
                raise shell.Failed('qemu: exit status -6')

        with (
            mock.patch.object(
                os, 'access', return_value=usable, autospec=True
            ),
            mock.patch.object(
                initramfs, 'plain_kernel', return_value=b'', autospec=True
            ),
            mock.patch.object(
                initramfs, 'build', return_value=b'', autospec=True
            ),
            mock.patch.object(shell, 'run', side_effect=run, autospec=True),
        ):
            accel.choose(self.setup)
        return accel.arguments(self.setup)

    def test_kvm_where_a_kernel_boots_that_may_run_guests(self):
        self.assertEqual(accel.KVM, self._choose('lab-probe nested'))

    def test_emulation_where_guests_could_not_be_nested(self):
        self.assertEqual(accel.TCG, self._choose('lab-probe flat'))

    def test_emulation_where_nothing_boots(self):
        self.assertEqual(accel.TCG, self._choose(''))
        self.assertIn('exit status -6', self.serial.read_text())

    def test_emulation_where_there_is_no_kvm(self):
        choice = self._choose('lab-probe nested', usable=False)
        self.assertEqual(accel.TCG, choice)
        self.assertFalse(self.serial.exists())
