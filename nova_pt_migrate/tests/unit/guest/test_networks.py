# SPDX-License-Identifier: Apache-2.0

import configparser

import testtools

from nova_pt_migrate.guest.networks import ifupdown
from nova_pt_migrate.guest.networks import networkd
from nova_pt_migrate.guest.networks import networkmanager
from nova_pt_migrate.testing import network_contract

BOND = network_contract.BOND
MAC = BOND.mac


class TestNames(testtools.TestCase):
    def test_they_are_ours_and_the_kernel_takes_them(self) -> None:
        self.assertEqual('pt-bond000001', BOND.name)
        self.assertLess(len(BOND.name), 16)


class Sections(network_contract.GuestNetworkContract):
    """The suite, for a plug-in whose files have sections."""

    def test_its_files_have_sections(self) -> None:
        for file in self.plugin().files(BOND):
            parser = configparser.ConfigParser()
            parser.read_string(file.content)
            self.assertTrue(parser.sections())


class TestNetworkd(Sections, testtools.TestCase):
    plugin = networkd.Networkd
    against = {f'{networkd.FOLDER}/00-all.network': ''}
    beside = {
        f'{networkd.FOLDER}/10-x.network': '',
        f'{networkd.FOLDER}/00-x.link': '',
    }


class TestNetworkManager(Sections, testtools.TestCase):
    plugin = networkmanager.NetworkManager
    against = {
        f'{networkmanager.FOLDER}/mine.nmconnection': (
            f'mac-address={MAC.upper()}\nautoconnect-priority=950\n'
        )
    }
    beside = {
        f'{networkmanager.FOLDER}/{number}.nmconnection': content
        for number, content in enumerate(
            (
                f'mac-address={MAC}\n',
                f'mac-address={MAC}\nautoconnect-priority=0\n',
                f'mac-address={MAC}\nautoconnect-priority=very high\n',
                'mac-address=00:00:00:00:00:00\nautoconnect-priority=950\n',
            )
        )
    }

    def test_only_files_that_are_secret_are_taken(self) -> None:
        modes = {
            file.mode
            for file in self.plugin().files(BOND)
            if file.path.startswith(networkmanager.FOLDER)
        }
        self.assertEqual({0o600}, modes)

    def test_each_port_is_attached_once(self) -> None:
        network = self.plugin()
        names = {
            line.removeprefix('id=')
            for file in network.files(BOND)
            for line in file.content.splitlines()
            if line.startswith('id=')
        }
        brought_up = [
            program[-1] for program in network.apply(BOND) if 'up' in program
        ]
        self.assertEqual(names - {BOND.name}, set(brought_up))
        self.assertEqual(2, len(brought_up))
        # The bond brings them up as well where it is told so.
        words = str(network.files(BOND))
        self.assertNotIn('autoconnect-ports', words)
        self.assertNotIn('autoconnect-slaves', words)


class TestIfupdown(network_contract.GuestNetworkContract, testtools.TestCase):
    plugin = ifupdown.Ifupdown
    against = {
        ifupdown.FILE: '# source /etc/network/interfaces.d/*\n',
        f'{ifupdown.FOLDER}/mapped': 'mapping ens5\n    script x\n',
        f'{ifupdown.FOLDER}/bond': (
            'iface b inet dhcp\n\tbond-slaves ens4 ens6\n'
        ),
        f'{ifupdown.FOLDER}/home': 'auto ens4 ens5=home\n',
    }
    beside = {
        ifupdown.FILE: 'source /etc/network/interfaces.d/*\n',
        f'{ifupdown.FOLDER}/50-cloud-init': (
            'auto ens5\niface ens5 inet dhcp\n'
            'auto ens55=home ens5\nmapping ens55\n# mapping ens5\n'
        ),
    }

    def test_a_folder_that_is_read(self) -> None:
        for content in (
            'source /etc/network/interfaces.d/*\n',
            'auto lo\nsource-directory interfaces.d\n',
            '\n\t source /etc/network/interfaces.d/*.cfg\n',
        ):
            shown = {ifupdown.FILE: content}
            self.assertEqual((), self.plugin().conflicts(BOND, shown))
