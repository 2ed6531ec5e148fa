# SPDX-License-Identifier: Apache-2.0

import dataclasses
from typing import Any

import fixtures

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import steps
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.compute.traffic import sides


class TestLeaving(sides.HostSideTest):
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
        self.assertEqual({(sides.PF, sides.MAC)}, self.links.filters)

    def test_a_nic_that_gives_to_one_gives_to_the_pf_afterwards(self) -> None:
        pairs = self.pairs(both=False)
        self.links.addresses[sides.DEVICE] = sides.MAC
        pairs.over()
        self.assertEqual([steps.LinkUp(sides.LINK)], self.links.steps)
        pairs.alone()
        self.assertEqual(
            [
                steps.ClearVf(sides.PF, 0),
                steps.AddFilter(sides.PF, sides.MAC),
                steps.Announce(sides.PF, sides.MAC, 42),
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
                steps.LinkUp(sides.LINK),
                steps.AddFilter(sides.PF, sides.MAC),
                steps.Announce(sides.PF, sides.MAC, 42),
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
            [
                steps.LinkUp(sides.LINK),
                steps.Announce(sides.PF, sides.MAC, 42),
            ],
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
        self.assertIn((sides.PF, sides.MAC), self.links.filters)

    def test_the_bond_is_switched_where_the_agent_does_it(self) -> None:
        self.bond()
        self.pairs().over()
        self.assertEqual('ens6', self.guest.files[sides.ACTIVE])

    def test_a_required_standby_that_does_not_carry_stops_it(self) -> None:
        self.links.links.clear()
        error = self.assertRaises(errors.NotSwitched, self.pairs().over)
        self.assertIn(sides.LINK, str(error))

    def test_a_bond_that_does_not_switch_stops_it(self) -> None:
        self.bond()
        self.guest.said['guest-file-write'] = {'return': {'count': 4}}
        self.assertRaises(errors.NotSwitched, self.pairs().over)

    def test_a_preferred_one_does_not(self) -> None:
        self.links.links.clear()
        self.pairs(test_paired_ports.own('bond', need='preferred')).over()
        self.assertIn(sides.LINK, self.log.output)
