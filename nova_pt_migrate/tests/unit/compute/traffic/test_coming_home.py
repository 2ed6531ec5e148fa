# SPDX-License-Identifier: Apache-2.0

from typing import Any

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.guest import agent
from nova_pt_migrate.host import links
from nova_pt_migrate.testing import links as fake_links
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.compute.traffic import sides
from nova_pt_migrate.tests.unit.guest import fakes


class TestComingHome(sides.HostSideTest):
    def test_the_device_carries_again_once_it_is_used(self) -> None:
        pairs = self.pairs()
        pairs.over()
        self.links.unused.add(sides.DEVICE)
        self.pause = self.use_soon  # type: ignore[method-assign]
        self.assertTrue(self.pairs().back([sides.DEVICE]))
        self.assertFalse(self.on())
        self.assertEqual(set(), self.links.filters)
        self.assertGreater(self.now, 1.0)

    def use_soon(self, seconds: float) -> None:
        self.now += seconds
        self.links.unused.clear()

    def test_one_that_the_guest_does_not_use_leaves_it(self) -> None:
        self.links.unused.add(sides.DEVICE)
        self.assertFalse(self.pairs().back([sides.DEVICE]))
        self.assertTrue(self.on())
        self.assertEqual({(sides.PF, sides.MAC)}, self.links.filters)
        self.assertIn('does not use', self.log.output)

    def test_one_that_is_missing_leaves_it(self) -> None:
        self.pairs().back([])
        self.assertTrue(self.on())

    def test_the_device_is_put_into_the_bond_and_made_active(self) -> None:
        self.bond('ens6', slaves='ens6')
        self.pairs().back([sides.DEVICE])
        self.assertEqual(
            '+ens5', self.guest.files['/sys/class/net/bond0/bonding/slaves']
        )
        self.bond('ens6')
        self.assertTrue(self.pairs().back([sides.DEVICE]))
        self.assertEqual('ens5', self.guest.files[sides.ACTIVE])

    def test_a_bond_that_its_agent_may_not_switch_keeps_the_standby(
        self,
    ) -> None:
        for slaves in ('ens5 ens6', 'ens6'):
            self.bond('ens6', slaves=slaves)
            self.guest.deny(
                'guest-file-open', when=lambda given: given['mode'] != 'r'
            )
            self.assertFalse(self.pairs().back([sides.DEVICE]))
            self.assertTrue(self.on())
            self.assertIn('Permission denied', self.log.output)

    def test_one_that_has_switched_by_itself_needs_no_agent(self) -> None:
        self.bond('ens5')
        self.guest.deny(
            'guest-file-open', when=lambda given: given['mode'] != 'r'
        )
        self.assertTrue(self.pairs().back([sides.DEVICE]))
        self.assertFalse(self.on())

    def test_an_agent_that_may_tell_nothing_is_as_none(self) -> None:
        for command in ('guest-file-open', agent.LIST):
            self.guest = fakes.Guest()
            self.bond('ens6')
            self.guest.deny(command)
            self.pairs().over()
            self.assertTrue(self.pairs().back([sides.DEVICE]))
            self.assertFalse(self.on())

    def test_only_a_free_nic_is_put_into_the_bond(self) -> None:
        self.bond('ens6', slaves='ens6')
        self.guest.interfaces = [
            (name, sides.MAC) for name in ('bond0', 'bond0.5', 'ens6', 'ens5')
        ]
        self.guest.files['/sys/class/net/ens6/flags'] = '0x1003'
        self.pairs().back([sides.DEVICE])
        self.assertEqual(
            '0x1003', self.guest.files['/sys/class/net/ens6/flags']
        )
        self.assertEqual(
            '+ens5', self.guest.files['/sys/class/net/bond0/bonding/slaves']
        )

    def test_a_slave_whose_link_comes_late(self) -> None:
        self.bond('ens6')
        path = '/proc/net/bonding/bond0'
        later = self.guest.files[path]
        self.guest.files[path] = later.replace(
            'MII Status: up', 'MII Status: down', 1
        )
        pause = self.pause

        def settle(seconds: float) -> None:
            pause(seconds)
            if self.now > 2:
                self.guest.files[path] = later

        self.pause = settle  # type: ignore[method-assign]
        self.assertTrue(self.pairs().back([sides.DEVICE]))
        self.assertEqual('ens5', self.guest.files[sides.ACTIVE])
        self.assertGreater(self.now, 2)

    def test_an_agent_that_does_not_tell_of_bonds_is_asked_again(self) -> None:
        self.bond('ens6')
        tell = self.guest.guest_file_open
        unreadable = ['/proc/net/bonding/bond0']

        def fail(path: str, mode: str) -> int:
            if path in unreadable:
                raise errors.GuestError('libvirt: no answer')
            return tell(path, mode)

        self.guest.guest_file_open = fail  # type: ignore[method-assign]
        self.assertFalse(self.pairs().back([sides.DEVICE]))
        unreadable[:] = ['/sys/class/net/bonding_masters']
        self.assertFalse(self.pairs().back([sides.DEVICE]))
        self.guest.guest_file_open = tell  # type: ignore[method-assign]
        self.assertTrue(self.pairs().back([sides.DEVICE]))
        self.assertEqual('ens5', self.guest.files[sides.ACTIVE])

    def test_an_agent_that_does_not_answer_once_is_asked_twice(self) -> None:
        self.bond('ens6')
        tell = self.guest.guest_info
        self.guest.guest_info = self.fail_once  # type: ignore[method-assign]
        self.tell = tell
        self.assertTrue(self.pairs().back([sides.DEVICE]))
        self.assertEqual('ens5', self.guest.files[sides.ACTIVE])

    def fail_once(self) -> Any:
        self.guest.guest_info = self.tell  # type: ignore[method-assign]
        raise errors.GuestError('libvirt: no answer')

    def test_a_bond_that_does_not_switch_is_tried_again(self) -> None:
        self.bond('ens6')
        self.guest.said['guest-file-write'] = {'return': {'count': 4}}
        pairs = self.pairs()
        self.links.links[sides.LINK].up = True
        self.assertFalse(pairs.back([sides.DEVICE]))
        self.assertTrue(self.on())
        del self.guest.said['guest-file-write']
        self.assertTrue(pairs.back([sides.DEVICE]))
        self.assertFalse(self.on())

    def test_a_failover_waits_for_the_link_of_the_device(self) -> None:
        self.guest.enabled = fakes.ALL
        self.guest.interfaces = [
            ('eth0', sides.MAC),
            ('eth1', sides.MAC),
            ('eth2', sides.MAC),
        ]
        self.guest.files = {
            '/sys/class/net/eth1/device/uevent': 'DRIVER=virtio_net\n',
            '/sys/class/net/eth1/operstate': 'up\n',
            '/sys/class/net/eth2/device/uevent': 'DRIVER=igbvf\n',
            '/sys/class/net/eth2/operstate': 'down\n',
        }
        pairs = self.pairs(test_paired_ports.own('failover'))
        pairs.over()
        self.assertFalse(pairs.back([sides.DEVICE]))
        self.assertTrue(self.on())
        self.guest.files['/sys/class/net/eth2/operstate'] = 'up\n'
        self.assertTrue(pairs.back([sides.DEVICE]))
        self.assertFalse(self.on())

    def test_a_host_that_fails_is_told_and_tried_again(self) -> None:
        def fault(_step: object) -> None:
            raise errors.HostError('netlink says no')

        pairs = self.pairs()
        pairs.over()
        self.links.fault = fault
        self.assertFalse(pairs.back([sides.DEVICE]))
        self.assertIn('netlink says no', self.log.output)
        self.links.fault = lambda _step: None
        self.assertTrue(pairs.back([sides.DEVICE]))
        self.assertFalse(self.on())

    def test_a_guest_that_is_not_here_has_no_frames(self) -> None:
        pairs = self.pairs()
        pairs.over()
        pairs.silence()
        self.assertFalse(self.on())
        self.assertEqual(set(), self.links.filters)


class TestProtocol(testtools.TestCase):
    def test_the_double_has_what_the_host_has(self) -> None:
        def public(kind: type) -> set[str]:
            return {name for name in vars(kind) if not name.startswith('_')}

        self.assertEqual(public(links.HostLinks), public(fake_links.Links))
