# SPDX-License-Identifier: Apache-2.0

import json
import unittest

from lab.judge import verdict
from lab.observe import parsing
from nova_pt_migrate.tests.unit.lab import synthetic

XML = """<domain type='kvm'>
  <devices>
    <interface type='direct'><mac address='fa:16:3e:00:00:01'/></interface>
    <interface type='hostdev' managed='yes'>
      <mac address='fa:16:3e:00:00:02'/>
      <source>
        <address type='pci' domain='0x0000' bus='0x01' slot='0x10'
                 function='0x3'/>
      </source>
      <address type='pci' domain='0x0000' bus='0x05' slot='0x00'
               function='0x0'/>
    </interface>
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source>
        <address domain='0x0000' bus='0x01' slot='0x10' function='0x1'/>
      </source>
    </hostdev>
  </devices>
</domain>
"""


def _filters(*macs: str) -> str:
    vfs = [{'vf': number, 'address': mac} for number, mac in enumerate(macs)]
    return json.dumps([{'ifname': 'eth1', 'vfinfo_list': vfs}])


FUNCTIONS = '0 0000:01:10.1\n1 0000:01:10.3\n'
NO_MAC = '00:00:00:00:00:00'


class HostTest(unittest.TestCase):
    def test_a_host_with_the_server(self):
        facts = parsing.host(
            'cmp1',
            f'== live\n{XML}\n== persistent\n{XML}\n== console\n'
            'pt-guest links bond=up active=eth1 '
            f'eth1=igbvf/{synthetic.MAC}/slave\n'
            f'== functions\n{FUNCTIONS}'
            f'== filters\n{_filters(synthetic.MAC, NO_MAC)}\n',
        )
        addresses = ('0000:01:10.1', '0000:01:10.3')
        self.assertTrue(facts.domain)
        self.assertEqual(addresses, facts.live)
        self.assertEqual(addresses, facts.persistent)
        self.assertEqual(synthetic.MAC, facts.filters['0000:01:10.1'])
        self.assertEqual(synthetic.LINKS[1:], facts.links)

    def test_a_host_without_the_server(self):
        facts = parsing.host(
            'cmp1',
            f'== live\n== persistent\n== functions\n{FUNCTIONS}== filters\n'
            f'{_filters(NO_MAC, NO_MAC)}\n',
        )
        self.assertFalse(facts.domain)
        self.assertEqual((), facts.live)
        self.assertEqual({NO_MAC}, set(facts.filters.values()))

    def test_a_host_without_vfs_shows_no_filters(self):
        facts = parsing.host('cmp1', '== live\n== persistent\n')
        self.assertEqual({}, facts.filters)


class LinksTest(unittest.TestCase):
    def test_the_last_line_of_the_guest_counts(self):
        console = (
            '[    1.0] booting\n'
            'pt-guest links bond=up active=none '
            f'eth0=virtio_net/{synthetic.STANDBY}/slave\n'
            'pt-guest links bond=up active=eth1 '
            f'eth0=virtio_net/{synthetic.STANDBY}/slave '
            f'eth1=igbvf/{synthetic.MAC}/slave\n'
            'login:\n'
        )
        self.assertEqual(
            (
                verdict.Link('eth0', 'virtio_net', synthetic.STANDBY),
                verdict.Link('eth1', 'igbvf', synthetic.MAC, active=True),
            ),
            parsing.links(console),
        )

    def test_each_pair_has_an_active_link(self):
        console = (
            'pt-guest links bond0=up active=eth1 bond1=up active=eth3 '
            f'eth1=igbvf/{synthetic.MAC}/slave '
            f'eth2=virtio_net/{synthetic.STANDBY}/slave '
            f'eth3=igbvf/{synthetic.MAC}/slave\n'
        )
        active = [link.name for link in parsing.links(console) if link.active]
        self.assertEqual(['eth1', 'eth3'], active)

    def test_a_guest_that_said_nothing_has_no_links(self):
        self.assertEqual((), parsing.links('[    1.0] booting\n'))
