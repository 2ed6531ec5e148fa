# SPDX-License-Identifier: Apache-2.0

import argparse
import dataclasses
import unittest

from lab import demo
from lab import scenarios
from lab.judge import record
from lab.scenarios import journey
from lab.scenarios import short
from lab.scenarios import unplug_times
from nova_pt_migrate.tests.unit.lab import synthetic


class OptionsTest(unittest.TestCase):
    def _parsed(self, *arguments: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        demo.add_options(parser)
        return parser.parse_args(arguments)

    def test_twenty_pings_a_second_and_nothing_kept(self):
        options = self._parsed()
        self.assertEqual(20, options.rate)
        self.assertFalse(options.keep or options.down)

    def test_a_rate_out_of_range_is_refused(self):
        for text in ('0', '101', '-5', 'many', '1.5'):
            with (
                self.subTest(text),
                self.assertRaisesRegex(
                    argparse.ArgumentTypeError, f'{text} is not a whole'
                ),
            ):
                demo.rate(text)

    def test_every_scenario_can_be_named(self):
        parser = argparse.ArgumentParser()
        scenarios.add_options(parser)
        for name in scenarios.NAMES:
            self.assertEqual(name, parser.parse_args([name]).name)


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


class ShortTest(unittest.TestCase):
    def test_the_note_tells_when_all_was_clean(self):
        there, back = short.notes(list(synthetic.run().moves))
        self.assertIn('There: everything was found clean', there)
        self.assertIn('4 s after the client', back)

    def test_nothing_is_called_clean_that_was_not(self):
        bad = record.Check('the guest answers', False, 'no echo')
        move = dataclasses.replace(synthetic.move(), checks=(bad,))
        self.assertEqual((), short.notes([move]))


class EventsTest(unittest.TestCase):
    def test_only_events_of_this_migration_are_kept(self):
        def event(action: str, second: int) -> dict[str, str]:
            return {
                'action': action,
                'event': f'at {second}',
                'host': 'cmp1',
                'start_time': f'2027-01-15T08:00:{second:02}.000000',
                'finish_time': '',
                'result': '',
                'details': '',
            }

        seen = {
            'events': [
                event('live-migration', 20),
                event('create', 15),
                event('live-migration', 12),
                event('live-migration', 5),
            ]
        }
        kept = journey.events(seen, synthetic.ZERO + 10.5)
        self.assertEqual(['at 12', 'at 20'], [e.event for e in kept])
