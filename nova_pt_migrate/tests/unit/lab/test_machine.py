# SPDX-License-Identifier: Apache-2.0

import base64
import pathlib
import tempfile
import unittest
from unittest import mock

from lab import accel
from lab import image
from lab import machine
from lab import settings

KEY = 'ssh-ed25519 AAAA lab\n'


class ArgumentsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setup = settings.Settings(pathlib.Path(folder.name))
        key = self.setup.state / 'ssh/key.pub'
        key.parent.mkdir(parents=True)
        key.write_text(KEY)
        files = (pathlib.Path('/kernel'), pathlib.Path('/initrd'))
        for module, name, value in (
            (accel, 'arguments', accel.TCG),
            (image, 'boot_files', files),
        ):
            patch = mock.patch.object(
                module, name, return_value=value, autospec=True
            )
            patch.start()
            self.addCleanup(patch.stop)
        self.first, self.second = (
            machine.arguments(self.setup, host) for host in self.setup.hosts
        )

    def _after(self, argv: list[str], option: str) -> list[str]:
        pairs = zip(argv, argv[1:], strict=False)
        return [value for word, value in pairs if word == option]

    def test_hosts_differ_in_all_that_libvirt_and_the_network_compare(self):
        for option in ('-uuid', '-drive', '-serial', '-netdev', '-append'):
            with self.subTest(option=option):
                self.assertNotEqual(
                    self._after(self.first, option),
                    self._after(self.second, option),
                )

    def test_the_igb_is_behind_a_port_that_comes_first(self):
        devices = self._after(self.first, '-device')
        port = next(d for d in devices if d.startswith('pcie-root-port'))
        igb = next(d for d in devices if d.startswith('igb'))
        self.assertIn('id=root-port,', port)
        self.assertIn('bus=root-port,', igb)
        self.assertLess(devices.index(port), devices.index(igb))

    def test_each_nic_is_on_its_own_tap(self):
        self.assertEqual(
            ['tap,id=mg2,ifname=mg2,script=no,downscript=no',
             'tap,id=dt2,ifname=dt2,script=no,downscript=no'],
            self._after(self.second, '-netdev'),
        )  # fmt: skip

    def test_the_kernel_is_told_address_name_and_key(self):
        words = self._after(self.first, '-append')[0].split()
        self.assertIn('lab.address=10.8.0.11/24', words)
        self.assertIn('systemd.hostname=cmp1', words)
        credential = words[-1].partition('ssh.authorized_keys.root:')[2]
        self.assertEqual(KEY, base64.b64decode(credential).decode())


class ReadyTest(unittest.TestCase):
    def test_every_unit_is_asked_for_alone(self):
        # systemctl is content when one of several units is active.
        for command in machine.READY.split(' && '):
            with self.subTest(command=command):
                self.assertEqual(4, len(command.split()))
