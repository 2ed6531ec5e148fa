# SPDX-License-Identifier: Apache-2.0

import pathlib

import fixtures
from oslo_config import cfg
import testtools

from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.core import errors


class TestLoad(testtools.TestCase):
    def load(self, text: str) -> configuration.Settings:
        folder = self.useFixture(fixtures.TempDir()).path
        path = pathlib.Path(folder) / 'nova.conf'
        path.write_text(text)
        conf = cfg.ConfigOpts()
        conf(['--config-file', str(path)], project='nova')
        return configuration.load(conf)

    def refusal(self, text: str) -> str:
        return str(self.assertRaises(errors.CannotStart, self.load, text))

    def test_defaults(self) -> None:
        settings = self.load('[DEFAULT]\n')
        self.assertEqual(60.0, settings.unplug_timeout)
        self.assertEqual(('none', 'failover', 'bond'), settings.pairings)

    def test_the_plug_deadline_grows_with_memory(self) -> None:
        settings = self.load(
            '[pt_migrate]\nplug_timeout = 10\nplug_timeout_per_gib = 0.5\n'
        )
        self.assertEqual(26.0, settings.plug_deadline(32.0))

    def test_an_unknown_option_is_named_with_what_is_allowed(self) -> None:
        text = self.refusal('[pt_migrate]\nunplug_timout = 3\n')
        self.assertIn('unplug_timout', text)
        self.assertIn('unplug_timeout', text)
        self.assertIn('nova.conf', text)

    def test_a_wrong_truth_value_is_named(self) -> None:
        text = self.refusal('[pt_migrate]\nallow_stock_destination = maybe\n')
        self.assertIn('allow_stock_destination = maybe', text)
        self.assertIn('true or false', text)

    def test_options_of_other_groups_are_not_looked_at(self) -> None:
        self.load('[libvirt]\nno_such_option = 3\n')

    def test_a_value_out_of_range_is_named_with_the_range(self) -> None:
        for value in ('0', '-1', '3601', 'soon'):
            text = self.refusal(f'[pt_migrate]\nunplug_timeout = {value}\n')
            self.assertIn('unplug_timeout', text)
            self.assertIn(value, text)
            self.assertIn('3600', text)
