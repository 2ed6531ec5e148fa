# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.scenarios import unplug_times
from nova_pt_migrate.tests.unit.lab import synthetic


class UnplugTimesTest(unittest.TestCase):
    def test_time_is_from_first_unplug_to_move(self):
        figure = unplug_times.figure(2, synthetic.move())
        self.assertAlmostEqual(2.8, figure.unplug, 3)
        self.assertEqual((2, 108, 3.1), (figure.devices, figure.lost, 3.1))
        self.assertTrue(figure.passed)

    def test_without_phases_there_is_no_time(self):
        self.assertIsNone(unplug_times.unplug_to_migrate(()))

    def test_each_figure_is_a_row(self):
        figure = unplug_times.figure(2, synthetic.move())
        self.assertEqual(
            [('2', '2.80', '58.2', '108', '3.1', 'passed')],
            unplug_times.rows([figure]),
        )
