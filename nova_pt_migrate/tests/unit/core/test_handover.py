# SPDX-License-Identifier: Apache-2.0

import dataclasses
import itertools

import testtools

from nova_pt_migrate.core import handover
from nova_pt_migrate.core import steps

MAC = 'fa:16:3e:00:00:01'
PF = 'eth1'
TAP = handover.Standby('pts1', MAC, PF, PF)
ELSEWHERE = handover.Standby('pts1', MAC, None, 'eth2')
OFF = handover.Found(up=False, filtered=False)
ON = handover.Found(up=True, filtered=True)


def plan(
    carrier: handover.Carrier,
    found: handover.Found,
    primary: bool = True,
    both: bool = True,
    standby: handover.Standby = TAP,
) -> list[handover.Step]:
    return list(
        handover.plan(standby, found, handover.Wanted(carrier, primary, both))
    )


class TestToStandby(testtools.TestCase):
    CARRIER = handover.Carrier.STANDBY

    def test_a_nic_that_gives_to_both_before_the_device_leaves(self) -> None:
        self.assertEqual(
            [steps.LinkUp('pts1'), steps.AddFilter(PF, MAC)],
            plan(self.CARRIER, OFF),
        )

    def test_any_other_nic_only_when_it_has_left(self) -> None:
        self.assertEqual(
            [steps.LinkUp('pts1')], plan(self.CARRIER, OFF, both=False)
        )
        up = handover.Found(up=True, filtered=False, stale=3)
        self.assertEqual(
            [
                steps.ClearVf(PF, 3),
                steps.AddFilter(PF, MAC),
                steps.Announce(PF, MAC, 'pts1'),
            ],
            plan(self.CARRIER, up, primary=False, both=False),
        )

    def test_a_vf_that_is_in_the_guest_keeps_its_address(self) -> None:
        found = handover.Found(up=True, filtered=True, stale=3)
        self.assertEqual([], plan(self.CARRIER, found, primary=True))

    def test_a_standby_on_another_nic_is_announced_there(self) -> None:
        self.assertEqual(
            [steps.LinkUp('pts1'), steps.Announce('eth2', MAC, 'pts1')],
            plan(self.CARRIER, OFF, primary=False, standby=ELSEWHERE),
        )

    def test_what_is_so_already_is_not_announced_again(self) -> None:
        self.assertEqual([], plan(self.CARRIER, ON, primary=False))


class TestFromStandby(testtools.TestCase):
    def test_the_filter_is_left_before_the_link_goes_off(self) -> None:
        for carrier in (handover.Carrier.PRIMARY, handover.Carrier.NOBODY):
            self.assertEqual(
                [steps.RemoveFilter(PF, MAC), steps.LinkDown('pts1')],
                plan(carrier, ON, primary=False),
            )
            self.assertEqual([], plan(carrier, OFF))

    def test_a_standby_that_is_gone_leaves_its_filter_entry(self) -> None:
        self.assertEqual(
            [steps.RemoveFilter(PF, MAC)],
            plan(
                handover.Carrier.NOBODY,
                handover.Found(up=None, filtered=True),
            ),
        )


class TestSoon(testtools.TestCase):
    EARLY = dataclasses.replace(TAP, early=True)

    def plan(
        self, found: handover.Found, standby: handover.Standby
    ) -> list[handover.Step]:
        return plan(handover.Carrier.SOON, found, standby=standby)

    def test_a_tap_is_on_and_in_no_filter(self) -> None:
        self.assertEqual([steps.LinkUp('pts1')], self.plan(OFF, self.EARLY))
        self.assertEqual(
            [steps.RemoveFilter(PF, MAC)], self.plan(ON, self.EARLY)
        )

    def test_a_macvtap_is_off(self) -> None:
        self.assertEqual([], self.plan(OFF, TAP))
        self.assertEqual(
            [steps.RemoveFilter(PF, MAC), steps.LinkDown('pts1')],
            self.plan(ON, TAP),
        )


class TestAtOnce(testtools.TestCase):
    def test_what_was_seen_before_tells_what_is_left(self) -> None:
        seen = handover.Found(up=True, filtered=False, stale=3)
        self.assertEqual(
            (
                steps.ClearVf(PF, 3),
                steps.AddFilter(PF, MAC),
                steps.Announce(PF, MAC, 'pts1'),
            ),
            handover.at_once(TAP, seen, both=False),
        )

    def test_one_that_is_on_already_is_announced_all_the_same(self) -> None:
        on = handover.Found(up=True, filtered=False)
        self.assertEqual(
            (steps.Announce('eth2', MAC, 'pts1'),),
            handover.at_once(ELSEWHERE, on, both=True),
        )

    def test_what_was_not_seen_waits_for_a_look(self) -> None:
        self.assertEqual(
            (steps.LinkUp('pts1'),), handover.at_once(TAP, None, both=True)
        )


class TestAll(testtools.TestCase):
    def apply(
        self, found: handover.Found, todo: list[handover.Step]
    ) -> handover.Found:
        up, filtered, stale = found.up, found.filtered, found.stale
        for step in todo:
            if isinstance(step, (steps.LinkUp, steps.LinkDown)):
                up = isinstance(step, steps.LinkUp)
            elif isinstance(step, (steps.AddFilter, steps.RemoveFilter)):
                filtered = isinstance(step, steps.AddFilter)
            elif isinstance(step, steps.ClearVf):
                stale = None
        return handover.Found(up, filtered, stale)

    def test_a_plan_leaves_nothing_to_do(self) -> None:
        for up, filtered, stale, carrier, primary, both in itertools.product(
            (True, False, None),
            (True, False),
            (None, 1),
            handover.Carrier,
            (True, False),
            (True, False),
        ):
            found = handover.Found(up, filtered, stale)
            todo = plan(carrier, found, primary, both)
            self.assertEqual(
                [], plan(carrier, self.apply(found, todo), primary, both)
            )


class TestTheGuestsLink(testtools.TestCase):
    """What is off at the host is down in the guest."""

    def found(self, on: bool, linked: bool | None) -> handover.Found:
        return handover.Found(up=on, filtered=on, linked=linked)

    def test_it_comes_when_the_way_is_open(self) -> None:
        self.assertEqual(
            [
                steps.LinkUp('pts1'),
                steps.AddFilter(PF, MAC),
                steps.Connect('pts1'),
            ],
            plan(handover.Carrier.STANDBY, self.found(False, False)),
        )

    def test_it_goes_before_the_way_is_closed(self) -> None:
        self.assertEqual(
            [
                steps.Disconnect('pts1'),
                steps.RemoveFilter(PF, MAC),
                steps.LinkDown('pts1'),
            ],
            plan(handover.Carrier.PRIMARY, self.found(True, True)),
        )

    def test_one_that_leads_nowhere_goes(self) -> None:
        """As a driver of an earlier version leaves it."""
        self.assertEqual(
            [steps.Disconnect('pts1')],
            plan(handover.Carrier.PRIMARY, self.found(False, True)),
        )

    def test_it_is_left_alone_where_it_is_not_looked_at(self) -> None:
        for carrier in handover.Carrier:
            for on in (True, False):
                todo = plan(carrier, self.found(on, None))
                self.assertFalse(
                    [s for s in todo if isinstance(s, steps.CarrierStep)]
                )

    def test_what_would_be_found(self) -> None:
        for carrier in (handover.Carrier.STANDBY, handover.Carrier.PRIMARY):
            for on, linked in itertools.product((True, False), repeat=2):
                seen = self.found(on, linked)
                wanted = handover.Wanted(carrier, False, True)
                there = handover.after(seen, handover.plan(TAP, seen, wanted))
                right = carrier is handover.Carrier.STANDBY
                self.assertEqual((right, right), (there.up, there.linked))
