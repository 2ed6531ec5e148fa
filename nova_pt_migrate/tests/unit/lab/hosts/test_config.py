# SPDX-License-Identifier: Apache-2.0

import configparser
import json
import pathlib
import re
import unittest

from lab import settings
from lab.hosts import config
from lab.hosts import machine

SETUP = settings.Settings(pathlib.Path('/lab'))
FIRST, SECOND = SETUP.hosts


def _read(host: settings.Host, path: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(config.files(SETUP, host)[path])
    return parser


class NovaTest(unittest.TestCase):
    def setUp(self):
        self.nova = _read(FIRST, '/etc/nova/nova.conf')

    def test_hosts_have_their_own_name_and_address(self):
        other = _read(SECOND, '/etc/nova/nova.conf')
        for group, option in (
            ('DEFAULT', 'host'),
            ('DEFAULT', 'my_ip'),
            ('libvirt', 'live_migration_inbound_addr'),
        ):
            with self.subTest(option=option):
                self.assertNotEqual(
                    self.nova[group][option], other[group][option]
                )

    def test_hosts_have_the_same_instances_path(self):
        # QEMU at the destination opens the disk by the source's path.
        other = _read(SECOND, '/etc/nova/nova.conf')
        self.assertEqual(
            self.nova['DEFAULT']['instances_path'],
            other['DEFAULT']['instances_path'],
        )

    def test_virtual_functions_belong_to_the_physical_network(self):
        spec = json.loads(self.nova['pci']['device_spec'])
        self.assertEqual(
            {'physnet1'}, {entry['physical_network'] for entry in spec}
        )

    def test_guests_get_all_but_the_neighbours_function(self):
        spec = json.loads(self.nova['pci']['device_spec'])
        found = [
            f'0000:01:{slot}.{function}'
            for slot in ('10', '11')
            for function in range(0, 8, 2)
            if any(
                re.fullmatch(entry['address']['slot'], slot)
                and re.fullmatch(entry['address']['function'], str(function))
                for entry in spec
            )
        ]
        self.assertEqual(6, len(found))
        self.assertNotIn(config.NEIGHBOUR, found)
        agent = _read(FIRST, '/etc/neutron/sriov_agent.ini')
        self.assertIn(config.NEIGHBOUR, agent['sriov_nic']['exclude_devices'])

    def test_the_driver_is_ours_unless_another_is_asked_for(self):
        self.assertEqual(
            'pt_migrate.PassthroughLibvirtDriver',
            self.nova['DEFAULT']['compute_driver'],
        )
        stock = config.nova(SETUP, FIRST, config.STOCK)
        self.assertEqual(
            'libvirt.LibvirtDriver', stock['DEFAULT']['compute_driver']
        )

    def test_privileged_calls_need_no_sudo(self):
        groups = [
            self.nova[name]
            for name in self.nova.sections()
            if 'helper_command' in self.nova[name]
        ]
        self.assertEqual(5, len(groups))
        for group in groups:
            self.assertNotIn('sudo', group['helper_command'])


class OthersTest(unittest.TestCase):
    def test_the_node_is_the_same_after_each_start(self):
        files = config.files(SETUP, SECOND)
        self.assertEqual(
            machine.uuid(SECOND), files['/var/lib/nova/compute_id']
        )

    def test_both_agents_serve_one_function(self):
        macvtap = _read(FIRST, '/etc/neutron/macvtap_agent.ini')
        sriov = _read(FIRST, '/etc/neutron/sriov_agent.ini')
        self.assertEqual(
            macvtap['macvtap']['physical_interface_mappings'],
            sriov['sriov_nic']['physical_device_mappings'],
        )

    def test_hosts_know_each_other(self):
        lines = config.files(SETUP, FIRST)['/etc/hosts'].splitlines()
        self.assertIn('10.8.0.11 cmp1', lines)
        self.assertIn('10.8.0.12 cmp2', lines)
