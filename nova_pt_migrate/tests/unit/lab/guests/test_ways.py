# SPDX-License-Identifier: Apache-2.0

import json
import unittest

from lab.guests import managers
from lab.guests import ways
from lab.guests import wires


class WaysTest(unittest.TestCase):
    def test_only_prepare_has_vendor_data_and_observe_user_data(self):
        for manager in managers.MANAGERS:
            found = {way: ways.seeds(way, manager) for way in ways.WAYS}
            self.assertEqual(('', ''), found['manage'])
            for way in ('prepare', ways.FAILOVER):
                self.assertIn('cloud-init', json.loads(found[way][0]))
            words = found['observe'][1]
            self.assertIn(wires.PRIMARY, words)
            self.assertNotIn('@MAC@', words)
            self.assertNotIn('@TWIN@', words)

    def test_a_manager_that_there_is_not(self):
        with self.assertRaisesRegex(LookupError, 'wicked; there are'):
            managers.named('wicked')
