# SPDX-License-Identifier: Apache-2.0

import argparse
import unittest

from lab import demo


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
