# SPDX-License-Identifier: Apache-2.0

import argparse
import unittest

from lab.scenarios import command


class NamesTest(unittest.TestCase):
    def test_every_scenario_can_be_named(self):
        parser = argparse.ArgumentParser()
        command.add_options(parser)
        for name in command.NAMES:
            self.assertEqual(name, parser.parse_args([name]).name)

    def test_some_can_be_named(self):
        parser = argparse.ArgumentParser()
        command.add_options(parser)
        options = parser.parse_args(['faults', 'late', 'paused'])
        self.assertEqual(['late', 'paused'], options.only)
