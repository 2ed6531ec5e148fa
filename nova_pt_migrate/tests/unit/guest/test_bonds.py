# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import agent
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.tests.unit.guest import fakes

BOND = """\
Ethernet Channel Bonding Driver: v6.12.0

Bonding Mode: fault-tolerance (active-backup) (fail_over_mac active)
Primary Slave: ens5 (primary_reselect failure)
Currently Active Slave: ens5
MII Status: up
MII Polling Interval (ms): 100

Slave Interface: ens6
MII Status: up
Speed: Unknown
Permanent HW addr: f6:16:3e:00:00:01
Slave queue ID: 0

Slave Interface: ens5
MII Status: down
Permanent HW addr: fa:16:3e:00:00:01
"""
FOUND = pairs.Bond(
    'bond0',
    'active-backup',
    'ens5',
    (
        pairs.Slave('ens6', 'f6:16:3e:00:00:01', True),
        pairs.Slave('ens5', 'fa:16:3e:00:00:01', False),
    ),
    fail_over_mac='active',
)


class TestLook(testtools.TestCase):
    def guest(self) -> fakes.Guest:
        guest = fakes.Guest()
        guest.files = {
            bonds.MASTERS: 'bond0 ../../etc/passwd -n\n',
            '/proc/net/bonding/bond0': BOND,
        }
        return guest

    def test_what_the_kernel_tells(self) -> None:
        self.assertEqual((FOUND,), bonds.observe(self.guest().agent()))

    def test_whose_address_a_bond_has(self) -> None:
        for words, found in (
            ('(active-backup)', 'none'),
            ('(active-backup) (fail_over_mac follow)', 'follow'),
            ('(active-backup) (fail_over_mac evil)', 'none'),
        ):
            bond = bonds.parse('b', f'Bonding Mode: fault-tolerance {words}')
            self.assertEqual('active-backup', bond.mode)
            self.assertEqual(found, bond.fail_over_mac)

    def test_an_agent_that_may_not_read(self) -> None:
        guest = fakes.Guest([agent.LIST])
        self.assertIsNone(bonds.observe(guest.agent()))

    def test_what_is_denied_is_told_and_nothing_else(self) -> None:
        guest = fakes.Guest()
        guest.interfaces = [('ens5', 'fa:16:3e:00:00:01')]
        guest.deny('guest-file-open')
        view = bonds.view(guest.agent(), joined=True)
        self.assertEqual({'ens5': 'fa:16:3e:00:00:01'}, view.interfaces)
        self.assertIsNone(view.bonds)
        self.assertIn(bonds.MASTERS, view.denied)
        self.assertRaises(errors.Denied, bonds.observe, guest.agent())

    def test_a_device_that_is_used_in_place_of_its_link(self) -> None:
        mac, other = 'fa:16:3e:00:00:01', 'fa:16:3e:00:00:02'
        for count, where, taken in (
            (3, 'ens5', {'ens5'}),
            (3, 'ens6', set()),
            (3, 'ens9', set()),
            (2, 'ens5', set()),
        ):
            guest = fakes.Guest()
            guest.interfaces = [
                ('ens5', mac), ('ens6', mac), ('ens6nsby', mac)
            ][:count] + [('ens9', other)]  # fmt: skip
            guest.addresses = {where: '192.0.2.1'}
            for name, driver in (('ens5', 'igbvf'), ('ens6', 'virtio_net')):
                path = f'/sys/class/net/{name}/device/uevent'
                guest.files[path] = f'DRIVER={driver}\n'
            self.assertEqual(taken, bonds.view(guest.agent(), True).taken)
            self.assertEqual(set(), bonds.view(guest.agent(), False).taken)

    def test_a_kernel_without_bonding(self) -> None:
        self.assertEqual((), bonds.observe(fakes.Guest().agent()))

    def test_a_bond_that_tells_no_mode(self) -> None:
        self.assertRaises(errors.GuestError, bonds.parse, 'b', 'Slave: x')

    def test_a_guest_that_claims_very_many(self) -> None:
        many = ''.join(f'Slave Interface: e{n}\n' for n in range(9999))
        found = bonds.parse('b', f'Bonding Mode: x (active-backup)\n{many}')
        self.assertEqual(bonds.MOST, len(found.slaves))

    def test_modes(self) -> None:
        for words, mode in (
            ('load balancing (round-robin)', 'balance-rr'),
            ('adaptive load balancing', 'balance-alb'),
            ('IEEE 802.3ad Dynamic link aggregation', 'unknown'),
            ('(\x1b[2J)', 'unknown'),
        ):
            found = bonds.parse('b', f'Bonding Mode: {words}\n')
            self.assertEqual(mode, found.mode)


class TestChange(testtools.TestCase):
    PATH = '/sys/class/net/bond0/bonding/active_slave'

    def guest(self) -> fakes.Guest:
        guest = fakes.Guest()
        guest.files['/proc/net/bonding/bond0'] = BOND
        return guest

    def test_a_slave_is_made_active_and_read_back(self) -> None:
        guest = self.guest()
        bonds.activate(guest.agent(), 'bond0', 'ens6')
        self.assertEqual('ens6', guest.files[self.PATH])

    def test_one_whose_link_does_not_come(self) -> None:
        guest = self.guest()
        for slave in ('ens5', 'ens7'):
            error = self.assertRaises(
                errors.GuestError,
                bonds.activate, guest.agent(60), 'bond0', slave,
            )  # fmt: skip
            self.assertIn(f'{slave} has no link in bond0', str(error))
        self.assertNotIn(self.PATH, guest.files)

    def test_one_that_does_not_become_active(self) -> None:
        guest = self.guest()
        guest.files[self.PATH] = 'ens5'
        guest.said['guest-file-write'] = {'return': {'count': 4}}
        error = self.assertRaises(
            errors.GuestError,
            bonds.activate, guest.agent(), 'bond0', 'ens6',
        )  # fmt: skip
        self.assertIn("'ens5', not ens6", str(error))

    def test_a_nic_is_switched_off_before_it_is_enslaved(self) -> None:
        guest = fakes.Guest()
        guest.files['/sys/class/net/ens5/flags'] = '0x1003\n'
        bonds.enslave(guest.agent(), 'bond0', 'ens5')
        self.assertEqual('0x1002', guest.files['/sys/class/net/ens5/flags'])
        self.assertEqual(
            '+ens5', guest.files['/sys/class/net/bond0/bonding/slaves']
        )

    def test_flags_that_are_none(self) -> None:
        guest = fakes.Guest()
        guest.files['/sys/class/net/ens5/flags'] = 'up'
        self.assertRaises(
            errors.GuestError,
            bonds.enslave, guest.agent(), 'bond0', 'ens5',
        )  # fmt: skip
