# SPDX-License-Identifier: Apache-2.0

import base64
import pathlib
import tempfile
import time
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.build import host_image
from lab.hosts import accel
from lab.hosts import machine

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
            (host_image, 'boot_files', files),
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
             'tap,id=dt2,ifname=dt2,script=no,downscript=no',
             'tap,id=up2,ifname=up2,script=no,downscript=no'],
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


class WaitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setup = settings.Settings(pathlib.Path(folder.name))
        self.setup.log.mkdir()
        self.console = self.setup.log / 'cmp1-console.log'
        self.started = []
        for owner, name, value in (
            (machine, 'ssh', self.ssh),
            (machine, '_start', self.start),
            (machine, 'connect', lambda _setup, _host: None),
            (shell, 'alive', lambda _setup, _name: True),
            (shell, 'stop', lambda _setup, _name: None),
            (time, 'sleep', lambda _seconds: None),
        ):
            patch = mock.patch.object(
                owner, name, autospec=True, side_effect=value
            )
            patch.start()
            self.addCleanup(patch.stop)

    def ssh(self, _setup, host, _command, _timeout):
        self.looks -= 1
        if host.name == 'cmp1' and self.looks > 0:
            raise shell.Failed('no answer')
        return ''

    def start(self, _setup, host):
        self.started.append(host.name)
        self.console.write_text('')

    def test_a_host_that_hangs_is_started_again(self):
        for said in (
            f'rcu: {machine.HUNG} for 5252 jiffies!\n',
            f'{machine.PANIC} - not syncing: timer does not work\n',
        ):
            with self.subTest(said=said):
                self.looks = 4
                self.started.clear()
                self.console.write_text(said)
                machine.wait(self.setup)
                self.assertEqual(['cmp1'], self.started)

    def test_one_that_is_slow_is_waited_for(self):
        self.looks = 4
        self.console.write_text('[    9.4] systemd[1]: Starting\n')
        machine.wait(self.setup)
        self.assertEqual([], self.started)


class EndedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.setup = settings.Settings(pathlib.Path(folder.name))
        self.setup.log.mkdir()
        patch = mock.patch.object(
            shell, 'run', autospec=True,
            side_effect=shell.Failed('No route to host'),
        )  # fmt: skip
        patch.start()
        self.addCleanup(patch.stop)

    def said(self, alive: bool) -> str:
        with (
            mock.patch.object(
                shell, 'alive', autospec=True, return_value=alive
            ),
            self.assertRaises(shell.Failed) as caught,
        ):
            machine.ssh(self.setup, self.setup.hosts[0], 'true', 1)
        return str(caught.exception)

    def test_why_a_host_has_ended_is_said(self):
        (self.setup.log / 'cmp1-console.log').write_text(
            '[9.1] a\n[9.2] Kernel panic - not syncing: stack \x1b[2J\n[9.3] b'
        )
        found = self.said(alive=False)
        self.assertIn('cmp1 has ended', found)
        self.assertIn('not syncing: stack \\x1b[2J', found)

    def test_one_that_has_said_nothing(self):
        self.assertIn('cmp1 has ended;', self.said(alive=False))

    def test_what_fails_in_a_host_that_runs_is_passed_on(self):
        self.assertEqual('No route to host', self.said(alive=True))
