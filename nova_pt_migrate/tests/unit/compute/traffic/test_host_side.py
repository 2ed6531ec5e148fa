# SPDX-License-Identifier: Apache-2.0

import dataclasses
import types
from typing import Any
from typing import cast

import fixtures
import testtools

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.traffic import host_side
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model
from nova_pt_migrate.core import steps
from nova_pt_migrate.host import links
from nova_pt_migrate.testing import links as fake_links
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.guest import fakes

MAC = test_paired_ports.MAC
LINK = 'pts11111111-22'
PF = 'eth1'
DEVICE = '0000:81:10.1'
ACTIVE = '/sys/class/net/bond0/bonding/active_slave'


class Domain:
    """A guest with the standby in it."""

    def observe(self) -> model.Found:
        return model.Found(True, 1.0, {}, {}, {LINK: test_paired_ports.TWIN})


class SwitchingTest(testtools.TestCase):
    standby_mac = test_paired_ports.TWIN

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.links = fake_links.Links()
        self.links.links[LINK] = fake_links.Link(cast(Any, None))
        self.guest = fakes.Guest([])
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def pairs(
        self,
        ports: list[paired_ports.PairedPort] | None = None,
        both: bool = True,
    ) -> host_side.HostSide:
        return host_side.HostSide(
            types.SimpleNamespace(),
            ports or test_paired_ports.own('bond'),
            observer.Observer(cast(Any, Domain()), self.guest.agent),
            self.links,
            both,
            clock=lambda: self.now,
            pause=self.pause,
        )

    def on(self) -> bool:
        return self.links.links[LINK].up

    def bond(self, active: str = 'ens5', slaves: str = 'ens5 ens6') -> None:
        """Give the guest a bond, and an agent that does everything."""
        self.guest.enabled = fakes.ALL
        macs = {'ens5': MAC, 'ens6': self.standby_mac}
        self.guest.interfaces = [*macs.items(), ('bond0', MAC)]
        self.guest.files = {
            '/sys/class/net/bonding_masters': 'bond0',
            ACTIVE: active,
            '/sys/class/net/ens5/flags': '0x1003',
            '/sys/class/net/ens5/device/uevent': 'DRIVER=igbvf\n',
            '/sys/class/net/ens6/device/uevent': 'DRIVER=virtio_net\n',
            '/proc/net/bonding/bond0': (
                'Bonding Mode: fault-tolerance (active-backup)\n'
                + ''.join(
                    f'Slave Interface: {name}\nMII Status: up\n'
                    f'Permanent HW addr: {macs[name]}\n'
                    for name in slaves.split()
                )
            ),
        }


class TestLeaving(SwitchingTest):
    def test_a_bond_that_was_broken_since_the_pre_check(self) -> None:
        self.bond()
        self.pairs().check()
        self.bond(slaves='ens5')
        error = self.assertRaises(errors.Refused, self.pairs().check)
        self.assertIn('has no bond', str(error))
        self.pairs(test_paired_ports.own('bond', need='preferred')).check()

    def test_the_standby_carries_before_the_device_leaves(self) -> None:
        self.pairs().over()
        self.assertTrue(self.on())
        self.assertEqual({(PF, MAC)}, self.links.filters)

    def test_a_nic_that_gives_to_one_gives_to_the_pf_afterwards(self) -> None:
        pairs = self.pairs(both=False)
        self.links.addresses[DEVICE] = MAC
        pairs.over()
        self.assertEqual([steps.LinkUp(LINK)], self.links.steps)
        pairs.alone()
        self.assertEqual(
            [
                steps.ClearVf(PF, 0),
                steps.AddFilter(PF, MAC),
                steps.Announce(PF, MAC, 42),
            ],
            self.links.steps[1:],
        )

    def test_a_guest_that_arrives_is_heard_before_anything_else(self) -> None:
        on_when_observed = []
        observe = self.links.observe

        def noted(*words: Any) -> Any:
            on_when_observed.append(self.on())
            return observe(*words)

        self.useFixture(fixtures.MockPatchObject(self.links, 'observe', noted))
        self.pairs().arrive()
        self.assertEqual([True], on_when_observed)
        self.assertEqual(
            [
                steps.LinkUp(LINK),
                steps.AddFilter(PF, MAC),
                steps.Announce(PF, MAC, 42),
            ],
            self.links.steps,
        )

    def test_a_standby_that_takes_frames_itself_is_announced_at_once(
        self,
    ) -> None:
        (paired,) = test_paired_ports.own('bond')
        assert paired.standby is not None
        standby = dataclasses.replace(paired.standby, filter=None)
        self.pairs([dataclasses.replace(paired, standby=standby)]).arrive()
        self.assertEqual(
            [steps.LinkUp(LINK), steps.Announce(PF, MAC, 42)],
            self.links.steps,
        )

    def test_what_fails_at_once_is_tried_again(self) -> None:
        faults = [errors.HostError('busy')]

        def fail(_what: object) -> None:
            if faults:
                raise faults.pop()

        self.links.fault = fail
        self.pairs().arrive()
        self.assertTrue(self.on())
        self.assertIn((PF, MAC), self.links.filters)

    def test_the_bond_is_switched_where_the_agent_does_it(self) -> None:
        self.bond()
        self.pairs().over()
        self.assertEqual('ens6', self.guest.files[ACTIVE])

    def test_a_required_standby_that_does_not_carry_stops_it(self) -> None:
        self.links.links.clear()
        error = self.assertRaises(errors.NotSwitched, self.pairs().over)
        self.assertIn(LINK, str(error))

    def test_a_bond_that_does_not_switch_stops_it(self) -> None:
        self.bond()
        self.guest.said['guest-file-write'] = {'return': {'count': 4}}
        self.assertRaises(errors.NotSwitched, self.pairs().over)

    def test_a_preferred_one_does_not(self) -> None:
        self.links.links.clear()
        self.pairs(test_paired_ports.own('bond', need='preferred')).over()
        self.assertIn(LINK, self.log.output)


class TestComingHome(SwitchingTest):
    def test_the_device_carries_again_once_it_is_used(self) -> None:
        pairs = self.pairs()
        pairs.over()
        self.links.unused.add(DEVICE)
        self.pause = self.use_soon  # type: ignore[method-assign]
        self.assertTrue(self.pairs().back([DEVICE]))
        self.assertFalse(self.on())
        self.assertEqual(set(), self.links.filters)
        self.assertGreater(self.now, 1.0)

    def use_soon(self, seconds: float) -> None:
        self.now += seconds
        self.links.unused.clear()

    def test_one_that_the_guest_does_not_use_leaves_it(self) -> None:
        self.links.unused.add(DEVICE)
        self.assertFalse(self.pairs().back([DEVICE]))
        self.assertTrue(self.on())
        self.assertEqual({(PF, MAC)}, self.links.filters)
        self.assertIn('does not use', self.log.output)

    def test_one_that_is_missing_leaves_it(self) -> None:
        self.pairs().back([])
        self.assertTrue(self.on())

    def test_the_device_is_put_into_the_bond_and_made_active(self) -> None:
        self.bond('ens6', slaves='ens6')
        self.pairs().back([DEVICE])
        self.assertEqual(
            '+ens5', self.guest.files['/sys/class/net/bond0/bonding/slaves']
        )
        self.bond('ens6')
        self.assertTrue(self.pairs().back([DEVICE]))
        self.assertEqual('ens5', self.guest.files[ACTIVE])

    def test_only_a_free_nic_is_put_into_the_bond(self) -> None:
        self.bond('ens6', slaves='ens6')
        self.guest.interfaces = [
            (name, MAC) for name in ('bond0', 'bond0.5', 'ens6', 'ens5')
        ]
        self.guest.files['/sys/class/net/ens6/flags'] = '0x1003'
        self.pairs().back([DEVICE])
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
        self.assertTrue(self.pairs().back([DEVICE]))
        self.assertEqual('ens5', self.guest.files[ACTIVE])
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
        self.assertFalse(self.pairs().back([DEVICE]))
        unreadable[:] = ['/sys/class/net/bonding_masters']
        self.assertFalse(self.pairs().back([DEVICE]))
        self.guest.guest_file_open = tell  # type: ignore[method-assign]
        self.assertTrue(self.pairs().back([DEVICE]))
        self.assertEqual('ens5', self.guest.files[ACTIVE])

    def test_an_agent_that_does_not_answer_once_is_asked_twice(self) -> None:
        self.bond('ens6')
        tell = self.guest.guest_info
        self.guest.guest_info = self.fail_once  # type: ignore[method-assign]
        self.tell = tell
        self.assertTrue(self.pairs().back([DEVICE]))
        self.assertEqual('ens5', self.guest.files[ACTIVE])

    def fail_once(self) -> Any:
        self.guest.guest_info = self.tell  # type: ignore[method-assign]
        raise errors.GuestError('libvirt: no answer')

    def test_a_bond_that_does_not_switch_is_tried_again(self) -> None:
        self.bond('ens6')
        self.guest.said['guest-file-write'] = {'return': {'count': 4}}
        pairs = self.pairs()
        self.links.links[LINK].up = True
        self.assertFalse(pairs.back([DEVICE]))
        self.assertTrue(self.on())
        del self.guest.said['guest-file-write']
        self.assertTrue(pairs.back([DEVICE]))
        self.assertFalse(self.on())

    def test_a_failover_waits_for_the_link_of_the_device(self) -> None:
        self.guest.enabled = fakes.ALL
        self.guest.interfaces = [('eth0', MAC), ('eth1', MAC), ('eth2', MAC)]
        self.guest.files = {
            '/sys/class/net/eth1/device/uevent': 'DRIVER=virtio_net\n',
            '/sys/class/net/eth1/operstate': 'up\n',
            '/sys/class/net/eth2/device/uevent': 'DRIVER=igbvf\n',
            '/sys/class/net/eth2/operstate': 'down\n',
        }
        pairs = self.pairs(test_paired_ports.own('failover'))
        pairs.over()
        self.assertFalse(pairs.back([DEVICE]))
        self.assertTrue(self.on())
        self.guest.files['/sys/class/net/eth2/operstate'] = 'up\n'
        self.assertTrue(pairs.back([DEVICE]))
        self.assertFalse(self.on())

    def test_a_host_that_fails_is_told_and_tried_again(self) -> None:
        def fault(_step: object) -> None:
            raise errors.HostError('netlink says no')

        pairs = self.pairs()
        pairs.over()
        self.links.fault = fault
        self.assertFalse(pairs.back([DEVICE]))
        self.assertIn('netlink says no', self.log.output)
        self.links.fault = lambda _step: None
        self.assertTrue(pairs.back([DEVICE]))
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
