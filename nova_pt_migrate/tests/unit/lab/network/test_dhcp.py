# SPDX-License-Identifier: Apache-2.0

import pathlib
import tempfile
import unittest

from lab.network import dhcp

LOG = """\
Nov 25 18:20:01 dnsmasq-dhcp[9]: DHCPREQUEST(br-data) 10.9.0.50 fa:16:3e:1
Nov 25 18:20:01 dnsmasq-dhcp[9]: DHCPACK(br-data) 10.9.0.50 fa:16:3e:1
Nov 25 18:20:02 dnsmasq-dhcp[9]: DHCPACK(br-data) 10.9.0.51 fa:16:3e:2
Nov 25 18:20:09 dnsmasq-dhcp[9]: DHCPACK(br-data) 10.9.0.50 fa:16:3e:1
"""


class ServerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name, 'log')
        self.server = dhcp.Server(self.log, 'fa:16:3e:1', '10.9.0.50')

    def test_only_what_the_port_was_given_counts(self):
        self.log.write_text(LOG)
        self.assertEqual(2, self.server.acks())
        self.assertEqual(LOG.splitlines()[-1], self.server.last())

    def test_nothing_was_given_before_there_is_a_log(self):
        self.assertEqual(0, self.server.acks())
        self.assertEqual('no acknowledgement', self.server.last())
