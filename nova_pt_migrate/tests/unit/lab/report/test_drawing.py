# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.report import drawing
from nova_pt_migrate.tests.unit.lab import synthetic


class ScaleTest(unittest.TestCase):
    def test_ticks_are_round_and_about_ten(self):
        steps = {span: drawing.step_of(span) for span in (9.0, 68.0, 400.0)}
        self.assertEqual({9.0: 1, 68.0: 10, 400.0: 50}, steps)

    def test_places_stay_inside_the_plot(self):
        scale = drawing.scale_of(synthetic.move())
        self.assertEqual(drawing.LEFT, scale.x(0))
        self.assertEqual(drawing.RIGHT, scale.x(synthetic.ZERO * 2))
        self.assertEqual(drawing.PLOT_TOP, scale.y(100.0))
