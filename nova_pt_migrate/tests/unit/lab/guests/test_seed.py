# SPDX-License-Identifier: Apache-2.0

import json
import unittest

from lab.guests import seed
from lab.guests import wires


class SeedTest(unittest.TestCase):
    def test_the_standby_is_no_link_that_nova_tells_of(self):
        told = seed.network_data()
        macs = [link['ethernet_mac_address'] for link in told['links']]
        self.assertEqual([wires.PRIMARY, wires.OTHER], macs)
        self.assertEqual(
            [link['id'] for link in told['links']],
            [network['link'] for network in told['networks']],
        )

    def test_files_in_each_version(self):
        files = seed.files('{"a": 1}', '', 'guest')
        path = 'openstack/latest/{}'
        self.assertEqual('{"a": 1}', files[path.format('vendor_data.json')])
        self.assertNotIn(path.format('user_data'), files)
        meta = json.loads(files[path.format('meta_data.json')])
        self.assertEqual('guest', meta['hostname'])
        files = seed.files('', '#!/bin/sh', 'guest')
        self.assertEqual('#!/bin/sh', files[path.format('user_data')])
        self.assertEqual('{}', files[path.format('vendor_data.json')])
