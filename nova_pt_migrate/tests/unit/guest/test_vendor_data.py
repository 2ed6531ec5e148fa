# SPDX-License-Identifier: Apache-2.0

import json
import os
import pathlib
import stat
import subprocess

import fixtures
import testtools

from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import slaves
from nova_pt_migrate.guest import vendor_data
from nova_pt_migrate.guest.networks import contract
from nova_pt_migrate.guest.networks import ifupdown
from nova_pt_migrate.guest.networks import networkd
from nova_pt_migrate.guest.networks import networkmanager
from nova_pt_migrate.testing import network_contract

BOND = network_contract.BOND
MAC = BOND.mac


class ScriptTest(testtools.TestCase):
    """The script of the vendor data, in a guest that is a folder."""

    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.tools = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.in_charge('systemd-networkd.service')

    def in_charge(self, unit: str) -> None:
        systemctl = self.tools / 'systemctl'
        systemctl.write_text(f'#!/bin/sh\n[ "$3" = {unit} ]\n')
        systemctl.chmod(0o755)

    def nic(
        self, name: str, mac: str, driver: str, master: str | None = None
    ) -> None:
        folder = self.root / 'sys/class/net' / name
        (folder / 'device').mkdir(parents=True)
        (folder / 'address').write_text(f'{mac}\n')
        (folder / 'mtu').write_text('1442\n')
        (folder / 'device/driver').symlink_to(f'../drivers/{driver}')
        if master:
            (folder / 'master').symlink_to(f'../{master}')

    def pair(self, number: int = 1, master: str | None = None) -> None:
        mac = f'{MAC[:-1]}{number}'
        self.nic(f'ens{number}', mac, 'igbvf', master)
        self.nic(f'ens{number}s', pairs.twin(mac), 'virtio_net')

    def run_it(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ['/bin/sh', '-eu', '-c', vendor_data.script()],
            env={'PT_ROOT': str(self.root), 'PT_PATH': f'{self.tools}:'},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.root)): path.read_text()
            for path in sorted((self.root / 'etc').rglob('*'))
            if path.is_file()
        }

    def test_it_writes_what_the_plug_in_says(self) -> None:
        self.pair()
        wanted = contract.WantedBond(
            BOND.name, MAC, pairs.twin(MAC), 'ens1', 'ens1s', '1442', '77'
        )
        self.tells(
            '-4 route show dev ens1',
            'default via 192.0.2.1 proto dhcp src 192.0.2.9 metric 77',
        )
        units = {
            'NetworkManager.service': networkmanager.NetworkManager(),
            'systemd-networkd.service': networkd.Networkd(),
            'networking.service': ifupdown.Ifupdown(),
        }
        for unit, network in units.items():
            self.in_charge(unit)
            self.run_it()
            for file in network.files(wanted):
                path = self.root / file.path.lstrip('/')
                self.assertEqual(file.content, path.read_text())
                self.assertEqual(file.mode, stat.S_IMODE(path.stat().st_mode))

    def test_a_second_time_changes_nothing(self) -> None:
        self.pair(master=BOND.name)
        self.run_it()
        before = self.files()
        self.run_it()
        self.assertEqual(before, self.files())
        self.assertEqual(4, len(before))

    def failover(self, mac: str = MAC) -> dict[str, int]:
        """Give the guest a link of net_failover, and ask which NIC is below.

        :returns: the helper's exit status by NIC
        """
        for name, driver in (
            ('ens1', 'virtio_net'),
            ('ens1nsby', 'virtio_net'),
            ('ens2', 'igbvf'),
            ('ens3', 'igbvf'),
        ):
            self.nic(name, 'fa:16:3e:00:00:09' if name == 'ens3' else mac,
                     driver)  # fmt: skip
        folder = self.root / 'sys/class/net'
        (folder / 'lo').mkdir()
        (folder / 'lo/address').write_text('00:00:00:00:00:00\n')
        (folder / 'ens1nsby/phys_port_name').write_text('sby\n')
        self.assertEqual('', self.run_it().stderr)
        return {path.name: self.helper(path.name) for path in folder.iterdir()}

    def helper(self, *words: str) -> int:
        return subprocess.run(
            ['/bin/sh', str(self.root / slaves.HELPER[1:]), *words],
            env={'PT_ROOT': str(self.root), 'PATH': os.environ['PATH']},
            check=False,
            timeout=30,
        ).returncode

    def test_the_slaves_of_a_failover_link_are_told(self) -> None:
        told = self.failover()
        below = {name for name, status in told.items() if status == 0}
        self.assertEqual({'ens1nsby', 'ens2'}, below)
        self.assertEqual(
            {file.path[1:] for file in slaves.FILES}, set(self.files())
        )

    def test_they_are_the_same_in_an_image(self) -> None:
        self.failover()
        image = self.root / 'image'
        slaves.put(image)
        for file in slaves.FILES:
            paths = [where / file.path[1:] for where in (self.root, image)]
            self.assertEqual(*(path.read_text() for path in paths))

    def test_a_standby_that_comes_has_udev_look_at_its_device(self) -> None:
        self.failover()
        self.assertEqual(0, self.helper('ens1nsby', 'others'))
        poked = {
            path.parent.name
            for path in (self.root / 'sys/class/net').glob('*/uevent')
        }
        self.assertEqual({'ens2'}, poked)

    def test_a_guest_without_such_a_link_gets_nothing_of_it(self) -> None:
        self.pair()
        self.run_it()
        ours = {file.path[1:] for file in slaves.FILES}
        self.assertEqual(set(), ours & set(self.files()))

    def test_two_pairs(self) -> None:
        self.pair(1)
        self.pair(2)
        self.run_it()
        self.assertEqual(8, len(self.files()))

    def test_nics_that_are_no_pair_are_left_alone(self) -> None:
        self.nic('ens3', 'fa:16:3e:00:00:07', 'virtio_net')
        self.nic('ens4', 'fa:16:3e:00:00:08', 'igbvf')
        self.nic('lo', '00:00:00:00:00:00', 'none')
        self.assertEqual('', self.run_it().stderr)
        self.assertEqual({}, self.files())

    def test_a_device_that_is_in_another_bond_is_left_there(self) -> None:
        self.pair(master='bond0')
        self.assertIn('ens1 is in bond0', self.run_it().stderr)
        self.assertEqual({}, self.files())

    def tells(self, asked: str, words: str) -> None:
        """Let ``ip`` answer one question, and no other."""
        tool = self.tools / 'ip'
        tool.write_text(
            f'#!/bin/sh\n[ "$*" = "{asked}" ] || exit 1\n'
            f'printf "%s\\n" "{words}"\n'
        )
        tool.chmod(0o755)

    def address(self, words: str) -> None:
        """Let it tell of addresses."""
        self.tells(
            '-o address show dev ens1 scope global permanent',
            f'2: ens1    {words}' if words else '',
        )

    def assert_left_with(self, address: str) -> None:
        self.assertEqual(
            f'nova-pt-migrate: ens1 has {address}, which is not by DHCP; '
            f'{BOND.name} is not made\n',
            self.run_it().stderr,
        )
        self.assertEqual({}, self.files())

    def assert_made(self) -> None:
        self.assertEqual('', self.run_it().stderr)
        self.assertEqual(4, len(self.files()))

    def test_a_device_whose_address_is_not_by_dhcp_keeps_it(self) -> None:
        self.pair()
        for words, address in (
            ('inet 192.0.2.9/24 brd 192.0.2.255', '192.0.2.9/24'),
            ('inet6 2001:db8::9/64 scope global', '2001:db8::9/64'),
        ):
            self.address(words)
            self.assert_left_with(address)
        self.address('')
        self.assert_made()

    def test_an_address_that_a_router_gives_for_ever(self) -> None:
        self.pair()
        for words in (
            'inet6 2001:db8::9/64 scope global mngtmpaddr noprefixroute',
            'inet6 2001:db8::9/64 scope global proto kernel_ra',
        ):
            self.address(words)
            self.assert_made()

    def told(self, *kinds: str, mac: str = MAC) -> None:
        """Let cloud-init have been told how the device gets addresses."""
        file = self.root / 'run/cloud-init/network-config.json'
        file.parent.mkdir(parents=True, exist_ok=True)
        subnets = [{'type': kind, 'address': '192.0.2.9'} for kind in kinds]
        nic = {'type': 'physical', 'mac_address': mac, 'subnets': subnets}
        file.write_text(json.dumps({'version': 1, 'config': [nic]}))

    def test_what_cloud_init_was_told_counts(self) -> None:
        """Whatever the addresses look like."""
        self.pair()
        self.told('dhcp4', 'static6')
        self.assert_left_with('192.0.2.9')
        self.told('static', mac='fa:16:3e:00:00:09')
        self.assert_made()
        self.address('inet6 2001:db8::9/64 scope global')
        self.told('dhcp4', 'ipv6_slaac', 'ipv6_dhcpv6-stateful')
        self.assert_made()

    def test_a_stanza_of_somebody_else_is_named(self) -> None:
        self.pair()
        self.in_charge('networking.service')
        folder = self.root / 'etc/network'
        folder.mkdir(parents=True)
        for against in ('mapping ens1', 'bond-slaves x ens1s', 'auto ens1=y'):
            (folder / 'interfaces').write_text(f'{against}\n')
            self.assertIn('takes ens1 elsewhere', self.run_it().stderr)
            self.assertEqual(1, len(self.files()))
        (folder / 'interfaces').write_text('auto ens1\niface ens1 inet dhcp\n')
        self.assertEqual('', self.run_it().stderr)
        self.assertEqual(2, len(self.files()))

    def test_a_manager_that_nobody_knows(self) -> None:
        self.pair()
        self.in_charge('connman.service')
        self.assertIn('no network manager', self.run_it().stderr)

    def test_the_document_is_what_cloud_init_takes(self) -> None:
        found = json.loads(vendor_data.document())
        self.assertTrue(found['cloud-init'].startswith('#!/bin/sh\n'))
