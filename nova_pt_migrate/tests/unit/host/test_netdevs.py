# SPDX-License-Identifier: Apache-2.0

import pathlib

import fixtures
import testtools

from nova_pt_migrate.host import netdevs

DEVICE = '0000:81:00.1'


class Folders(testtools.TestCase):
    """Folders as the kernel shows them."""

    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for name in ('PCI', 'NET'):
            self.useFixture(
                fixtures.MockPatchObject(netdevs, name, self.root / name)
            )
        (self.root / 'PCI' / DEVICE).mkdir(parents=True)


class TestUserOf(Folders):
    """Who uses a device."""

    def make(self, *names: str) -> None:
        (self.root / 'PCI' / DEVICE / 'net').mkdir()
        for name in names:
            (self.root / 'PCI' / DEVICE / 'net' / name).mkdir()
            (self.root / 'NET' / name).mkdir(parents=True)

    def test_nobody_without_a_netdev(self) -> None:
        self.assertIsNone(netdevs.user_of(DEVICE))

    def test_nobody_with_a_netdev_alone(self) -> None:
        self.make('eth5')
        (self.root / 'NET/eth5/lower_x').mkdir()
        self.assertIsNone(netdevs.user_of(DEVICE))

    def test_whoever_is_in_another_network_namespace(self) -> None:
        self.make()
        used = str(netdevs.user_of(DEVICE))
        self.assertIn('another network namespace', used)

    def test_a_bridge(self) -> None:
        self.make('eth5', 'eth6')
        (self.root / 'NET/eth6/upper_br0').mkdir()
        self.assertIn('eth6 is part of br0', str(netdevs.user_of(DEVICE)))


class TestSwitchedOff(Folders):
    """Whether the physical function of a device is on."""

    def make(self, flags: int) -> None:
        (self.root / 'PCI' / DEVICE / 'physfn/net/eth5').mkdir(parents=True)
        (self.root / 'NET/eth5').mkdir(parents=True)
        (self.root / 'NET/eth5/flags').write_text(f'{flags:#x}\n')

    def test_what_is_no_vf_has_none(self) -> None:
        self.assertIsNone(netdevs.switched_off(DEVICE))

    def test_one_without_a_netdev_is_not_judged(self) -> None:
        (self.root / 'PCI' / DEVICE / 'physfn').mkdir()
        self.assertIsNone(netdevs.switched_off(DEVICE))

    def test_on(self) -> None:
        self.make(0x1003)
        self.assertIsNone(netdevs.switched_off(DEVICE))

    def test_off(self) -> None:
        self.make(0x1002)
        self.assertIn('eth5 is off', str(netdevs.switched_off(DEVICE)))
