# SPDX-License-Identifier: Apache-2.0

import unittest
from unittest import mock

from lab import shell
from lab.judge import record
from lab.observe import facts
from lab.scenarios import standby_acts
from nova_pt_migrate.tests.unit.lab import synthetic


class CarriedTest(unittest.TestCase):
    def _carried(self, phases: tuple[record.Phase, ...]):
        case = mock.Mock(spec_set=['setup', 'server'])
        with mock.patch.object(
            facts, 'read_phases', autospec=True, return_value=phases
        ):
            return standby_acts.carried(case, 0.0)

    def test_it_is_between_the_unplug_and_the_plug(self):
        zero = synthetic.ZERO
        phases = (
            record.Phase('unplug', 'cmp1', zero, zero + 4, 'ok'),
            record.Phase('move', 'cmp1', zero + 4, zero + 20, 'ok'),
            record.Phase('plug', 'cmp2', zero + 18, zero + 24, 'ok'),
        )
        self.assertEqual((zero + 4.5, zero + 17.5), self._carried(phases))

    def test_without_both_nothing_can_be_said(self):
        with self.assertRaisesRegex(shell.Failed, 'no log tells'):
            self._carried(())
