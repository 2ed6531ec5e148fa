# SPDX-License-Identifier: Apache-2.0
"""Whatever fails: it ends whole, or says what is missing; so does a repeat."""

from typing import Any
from typing import cast

import hypothesis
from hypothesis import strategies
import testtools

from nova_pt_migrate.core import course as courses
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import order
from nova_pt_migrate.core import planned
from nova_pt_migrate.tests.unit.core import fakes
from nova_pt_migrate.tests.unit.core import world as worlds

Fault = worlds.Fault
Place = order.Place
RUNS = {
    Place.LEAVING: [True],
    Place.HOME: [True, False],
    Place.AWAITED: [False],
    Place.DUE: [False],
    Place.ARRIVING: [True],
    Place.AWAY: [False],
}
"""Whether the guest runs on the host then."""
HERE = {Place.LEAVING, Place.HOME}
"""Where devices are looked at."""
MOST = 400


@strategies.composite
def worlds_of(draw: Any, runs: bool) -> worlds.World:
    """Return a host in any state that an interruption may leave."""
    count = draw(strategies.integers(1, 3))
    some = strategies.sets(strategies.integers(0, count - 1))
    yes = strategies.booleans()
    world = worlds.World(count, draw(yes), runs, draw(yes), draw(yes))
    if runs:
        world.live = draw(some)
        world.persistent = draw(some)
    world.up = draw(some)
    world.filtered = draw(some) if world.filters else set()
    world.stale = draw(some) - world.live
    world.used, world.keeps = draw(some), draw(some)
    world.linked = draw(some)
    return world


def bring(world: worlds.World, place: Place) -> courses.Failures | None:
    """Return what is said to have failed; None if the process died."""
    wanted = planned.Wanted(
        place,
        tuple(fakes.device(n) for n in range(world.count)),
        world.pairs(),
        world.both,
    )
    try:
        found = cast(Any, world.observe()) if place in HERE else None
    except worlds.Crash:
        return None
    except errors.HostError:
        return {planned.Key(order.Stage.RECORD, '', ''): cast(Any, 'no look')}
    hands = world.hands(found is not None)
    try:
        return courses.Course(wanted, hands, found).run()
    except worlds.Crash:
        return None


def missing(world: worlds.World, place: Place) -> list[int]:
    """Return numbers of the pairs that are not as they should be."""
    wrong = []
    if not world.runs and place is Place.HOME:
        place = Place.AWAY
    for number in range(world.count):
        there, ways = number in world.live, world.ways(number)
        linked = number in world.linked
        used = there and number in world.used
        right = {
            Place.LEAVING: not there and ways == {'standby'} and linked,
            Place.HOME: there
            and number in world.persistent
            and ways == ({'device'} if used else {'standby'})
            and not (used and number in world.filtered)
            and linked is not used,
            Place.DUE: number in world.up
            and (number in world.filtered) is world.filters,
            Place.ARRIVING: ways == {'standby'},
            Place.AWAY: number not in world.up | world.filtered,
            Place.AWAITED: (number in world.up) is world.early
            and number not in world.filtered
            and not (world.early and world.filters and number in world.stale),
        }[place]
        if not right:
            wrong.append(number)
    return wrong


FAULTS = strategies.lists(strategies.sampled_from(Fault), max_size=60)
CASES = strategies.sampled_from(sorted(Place, key=str)).flatmap(
    lambda place: strategies.tuples(
        strategies.just(place),
        strategies.sampled_from(RUNS[place]).flatmap(worlds_of),
    )
)


class TestCourse(testtools.TestCase):
    @hypothesis.settings(max_examples=MOST, deadline=None)
    @hypothesis.given(CASES, FAULTS)
    def test_whole_or_told_and_whole_when_asked_again(
        self, case: tuple[Place, worlds.World], faults: list[Fault]
    ) -> None:
        place, world = case
        if place is Place.ARRIVING:
            # No device arrives with a guest.
            world.live = set()
        world.due = place is Place.DUE
        world.faults = list(faults)
        failures = bring(world, place)
        if failures == {}:
            self.assertEqual([], missing(world, place))
        world.faults = []
        again = bring(world, place)
        assert again is not None
        told = {key.port for key in again}
        # What only the guest decides is told, and all else is as it should be.
        self.assertLessEqual(
            {f'port-{n}' for n in missing(world, place)}, told
        )
        before = world.changes
        bring(world, place)
        self.assertEqual(before, world.changes)
        self.assertEqual([], world.wrong)

    def test_one_that_does_not_carry_keeps_the_guest_from_being_asked(
        self,
    ) -> None:
        world = worlds.World(2, True, runs=True, both=True)
        world.live, world.persistent = {0, 1}, {0, 1}
        # Three looks; then the first standby is switched on.
        world.faults = [Fault.NONE] * 3 + [Fault.BEFORE]
        failures = bring(world, Place.LEAVING)
        assert failures is not None
        self.assertEqual(['port-0'], [key.port for key in failures])
        self.assertEqual({0, 1}, world.live)
        self.assertEqual(0, world.changes)

    def test_the_domain_is_looked_at_once(self) -> None:
        """But by who waits for devices to leave."""
        world = worlds.World(3, True, runs=True, both=True)
        looks = []
        observe = world.observe

        def noted(*words: object) -> object:
            looks.append(not words)
            return observe(*words)

        world.observe = noted  # type: ignore[method-assign]
        for place, times in (
            (Place.HOME, 1),
            (Place.LEAVING, 2),
            (Place.HOME, 1),
        ):
            looks.clear()
            self.assertEqual({}, bring(world, place))
            self.assertEqual(times, sum(looks))
