# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
import dataclasses
from typing import Any

import fixtures

from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import steps
from nova_pt_migrate.guest import agent
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.compute.traffic import sides
from nova_pt_migrate.tests.unit.guest import fakes

DENIALS: tuple[tuple[str, Callable[[dict[str, Any]], bool]], ...] = (
    ('guest-file-open', lambda arguments: True),
    ('guest-file-open', lambda arguments: arguments['mode'] != 'r'),
    (agent.LIST, lambda arguments: True),
)
"""What a guest may keep its agent from: files, their writing, interfaces."""


class TestLeaving(sides.HostSideTest):
    def test_a_bond_that_was_broken_since_the_pre_check(self) -> None:
        self.bond()
        self.pairs().over()
        self.bond(slaves='ens5')
        error = self.assertRaises(errors.Refused, self.pairs().over)
        self.assertIn('has no bond', str(error))
        self.pairs(test_paired_ports.own('bond', need='preferred')).over()

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
                steps.Announce(sides.PF, sides.MAC, sides.LINK, 42),
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
                steps.Announce(sides.PF, sides.MAC, sides.LINK, 42),
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
                steps.Announce(sides.PF, sides.MAC, sides.LINK, 42),
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

    def test_a_bond_that_the_agent_may_not_switch_switches_itself(
        self,
    ) -> None:
        for command, when in DENIALS:
            self.bond()
            guest = self.guest = fakes.Guest()
            self.bond()
            guest.deny(command, when=when)
            pairs = self.pairs()
            pairs.over()
            self.assertTrue(self.on())
            self.assertEqual('ens5', guest.files[sides.ACTIVE])

    def test_what_is_denied_is_a_warning_and_no_reason(self) -> None:
        for command, when in DENIALS:
            guest = self.guest = fakes.Guest()
            self.bond()
            guest.deny(command, when=when)
            found = readiness.pairs_ready(
                test_paired_ports.own('bond'), self.observer()
            )
            self.assertEqual([], found.reasons)
            (warning,) = found.warnings
            self.assertIn('Permission denied', warning)

    def test_an_agent_that_falls_silent_is_as_none(self) -> None:
        for command in (agent.LIST, 'guest-file-read'):
            self.guest = fakes.Guest()
            self.bond()
            self.guest.said[command] = errors.GuestError('timed out')
            pairs = self.pairs()
            pairs.over()
            self.assertTrue(self.on())

    def test_what_it_does_not_tell_is_a_warning(self) -> None:
        self.bond()
        self.guest.said[agent.LIST] = errors.GuestError('timed out')
        found = readiness.pairs_ready(
            test_paired_ports.own('bond'), self.observer()
        )
        self.assertEqual([], found.reasons)
        (warning,) = found.warnings
        self.assertIn('timed out', warning)

    def test_what_is_not_offered_is_no_warning(self) -> None:
        self.bond()
        self.guest.enabled = [agent.LIST, *agent.READ_FILES]
        found = readiness.pairs_ready(
            test_paired_ports.own('bond'), self.observer()
        )
        self.assertEqual(readiness.Findings(), found)
        self.pairs().over()
        self.assertEqual('ens5', self.guest.files[sides.ACTIVE])

    def test_a_failover_pair_does_without(self) -> None:
        self.bond()
        self.guest.deny('guest-file-open')
        found = readiness.pairs_ready(
            test_paired_ports.own('failover'), self.observer()
        )
        self.assertEqual([], found.warnings)

    def test_a_preferred_one_does_not(self) -> None:
        self.links.links.clear()
        self.pairs(test_paired_ports.own('bond', need='preferred')).over()
        self.assertIn(sides.LINK, self.log.output)
