# SPDX-License-Identifier: Apache-2.0

import contextlib
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.hosts import changes
from lab.hosts import machine
from lab.hosts import provision
from lab.scenarios import standby_cases


class ChangesTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.said: list[str] = []
        for target, name, double in (
            (machine, 'ssh', lambda s, h, script, t: self.said.append(script)),
            (
                provision,
                'restart_compute',
                lambda _: self.said.append('restart'),
            ),
            (provision, 'configure', lambda _: self.said.append('configure')),
        ):
            self.enterContext(
                mock.patch.object(
                    target, name, autospec=True, side_effect=double
                )
            )

    def test_each_change_is_put_back_even_if_it_failed(self):
        setup = settings.load()
        for trial in standby_cases.TRIALS:
            self.said.clear()
            with (
                self.subTest(trial.name),
                contextlib.suppress(shell.Failed),
                trial.around(setup),
            ):
                raise shell.Failed('it did not move')
            if trial.around is changes.autoprobe:
                self.assertIn(
                    'echo 0 > sriov_drivers_autoprobe', self.said[-1]
                )
                self.assertIn('unbind', self.said[-1])
            elif self.said:
                self.assertEqual('configure', self.said[-1])
                self.assertIn('link delete br-ext', self.said[-2])

    def test_a_bridge_over_the_pf_needs_its_filter(self):
        with changes.own_bridge(settings.load()):
            self.assertIn('mac_filters = both', self.said[0])
            self.assertIn('standby_uplinks = physnet1:bridge/br-ext',
                          self.said[0])  # fmt: skip
            self.assertIn('ip link set eth1 master br-ext', self.said[0])
