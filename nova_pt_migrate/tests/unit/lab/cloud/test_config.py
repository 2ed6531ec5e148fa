# SPDX-License-Identifier: Apache-2.0

import unittest

from lab import settings
from lab.cloud import config


class ConfigTest(unittest.TestCase):
    def test_every_file_is_rendered_with_its_groups(self):
        for name, ini in config.files(settings.load()).items():
            text = config.render(ini)
            for group in ini:
                self.assertIn(f'[{group}]', text, name)

    def test_a_percent_sign_stays_one(self):
        self.assertIn(
            'format = %Y',
            config.render({'DEFAULT': {'format': '%Y'}}),
        )
