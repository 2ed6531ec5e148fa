# SPDX-License-Identifier: Apache-2.0

import dataclasses
import unittest

from lab.judge import links
from nova_pt_migrate.tests.unit.lab import synthetic


class LinksTest(unittest.TestCase):
    def test_the_standby_carries_between_unplug_and_plug(self):
        move = synthetic.move()
        before, standby, after = links.of(move)
        self.assertEqual('VF on cmp1 0000:01:10.1', before.labels[0])
        self.assertEqual('standby', standby.kind)
        self.assertAlmostEqual(15.4, standby.start - move.requested, 3)
        self.assertAlmostEqual(54.3, standby.end - move.requested, 3)
        self.assertEqual('VF on cmp2 0000:01:10.3', after.labels[0])

    def test_many_devices_are_counted(self):
        move = synthetic.move()
        place = dataclasses.replace(move.before, live=('a', 'b'))
        move = dataclasses.replace(move, before=place)
        self.assertEqual('2 VFs on cmp1', links.of(move)[0].labels[0])

    def test_without_phases_nothing_is_known(self):
        move = dataclasses.replace(synthetic.move(), phases=())
        self.assertEqual((), links.of(move))
