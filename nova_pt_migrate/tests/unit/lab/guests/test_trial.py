# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import time
from typing import Any
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.guests import machine
from lab.guests import trial
from lab.guests import wires
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.tests.unit.guest import fakes

BOND = """\
Bonding Mode: fault-tolerance (active-backup)
Slave Interface: ens5
MII Status: up
Permanent HW addr: {primary}
Slave Interface: ens6
MII Status: {standby_link}
Permanent HW addr: {standby}
"""
LOOK = '/proc/net/bonding/bond0'
SLAVES = '/sys/class/net/bond0/bonding/slaves'


class Guest(fakes.Guest):
    """Its kernel takes slaves out of its bond and into it.

    :ivar deaf: it does not
    """

    def __init__(self) -> None:
        super().__init__()
        self.deaf = False
        self.link = 'up'
        self.interfaces = [('ens5', wires.PRIMARY), ('ens6', wires.STANDBY)]
        self.files[bonds.MASTERS] = 'bond0\n'
        self.files['/sys/class/net/ens5/flags'] = '0x1003\n'
        self.files['/sys/class/net/ens5/device/uevent'] = 'DRIVER=igb\n'
        self.files[SLAVES] = '+ens5'

    def agent(self, *words: Any) -> Any:
        """Let the kernel act on what was written before."""
        looks = BOND.format(
            primary=wires.PRIMARY,
            standby=wires.STANDBY,
            standby_link=self.link,
        )
        if self.files[SLAVES] == '-ens5' and not self.deaf:
            lines = looks.splitlines(keepends=True)
            looks = ''.join(lines[:1] + lines[4:])
        self.files[LOOK] = looks
        return super().agent(60)


class TrialTest(unittest.TestCase):
    def setUp(self):
        self.guest = Guest()
        double = mock.create_autospec(machine.Machine, instance=True)
        double.agent.side_effect = self.guest.agent
        self.trial = trial.Trial(double, say=lambda _words: None)
        self.slept = 0.0
        for name, value in (
            ('monotonic', lambda: self.slept),
            ('sleep', self.sleep),
        ):
            self.enterContext(
                mock.patch.object(time, name, autospec=True, side_effect=value)
            )

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        if self.slept >= 3:
            self.guest.link = 'up'

    def test_a_standby_that_is_held_down_may_be_so(self):
        self.guest.link = 'down'
        self.trial.is_ready()
        self.assertEqual(0, self.slept)

    def test_a_server_that_may_not_leave(self):
        self.guest.interfaces = []
        self.guest.files[bonds.MASTERS] = ''
        with self.assertRaisesRegex(shell.Failed, 'has no bond'):
            self.trial.is_ready()
        self.assertLess(trial.READY_SECONDS, self.slept)

    def test_an_agent_that_ends_before_it_tells_of_the_reboot(self):
        self.guest.said['guest-exec-status'] = {
            'error': {'desc': "PID ld does not exist"}
        }
        booted = self.enterContext(
            mock.patch.object(
                machine, 'booted', autospec=True, return_value='second'
            )
        )
        self.trial.reboots()
        self.assertEqual(
            ['systemctl', '--no-block', 'reboot'], self.guest.ran[-1]
        )
        booted.assert_called_once()

    def test_a_slave_is_taken_out_and_put_in(self):
        self.trial.leaves()
        self.assertEqual('-ens5', self.guest.files[SLAVES])
        self.trial.enslaves()
        self.assertEqual('+ens5', self.guest.files[SLAVES])

    def test_a_kernel_that_keeps_the_slave(self):
        self.guest.deaf = True
        with self.assertRaisesRegex(shell.Failed, 'still in the bond'):
            self.trial.leaves()

    def test_daemons_go_on_whatever_fails(self):
        with (
            self.assertRaises(shell.Failed),
            self.trial.without_daemons(),
        ):
            raise shell.Failed('no')
        signals = [
            word
            for argv in self.guest.ran
            for word in argv
            if word.startswith('--signal')
        ]
        self.assertEqual(['--signal=STOP', '--signal=CONT'], signals)


class RunningTest(unittest.TestCase):
    def test_a_guest_that_was_left_behind_is_ended_first(self):
        done: list[str] = []

        def run(*_words: Any, **_more: Any) -> str:
            done.append('run')
            raise shell.Failed('no disk')

        setup = settings.Settings(
            pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        )
        for name, value in (
            ('stop', lambda _setup, name: done.append(f'stop {name}')),
            ('run', run),
        ):
            self.enterContext(
                mock.patch.object(
                    shell, name, autospec=True, side_effect=value
                )
            )
        with (
            self.assertRaisesRegex(shell.Failed, 'no disk'),
            machine.running(setup, setup.folder, setup.folder, joined=False),
        ):
            self.fail('there is no disk')
        self.assertEqual(['stop guest', 'run'], done)
