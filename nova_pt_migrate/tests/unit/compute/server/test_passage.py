# SPDX-License-Identifier: Apache-2.0

from typing import Any

import testtools

from nova_pt_migrate.compute.server import moments
from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.compute.server import passage
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import order

SERVER = 'the-server'
MIGRATION = 'a live migration'
PATIENCE = 30.0
Moment = owner.Moment
Place = order.Place


class Passage(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done: list[Any] = []
        self.works = True
        self.owners = owner.Owners()
        self.moments = moments.Moments(self.owners)
        self.moments.start()
        self.addCleanup(self.moments.stop)

    def switch(self, turn: Any, place: Place) -> bool:
        self.done.append(place)
        return self.works

    def come(self, *found: Moment) -> list[Any]:
        self.done.clear()
        for moment in found:
            self.moments.come(SERVER, moment)
            self.assertTrue(self.moments.wait(PATIENCE))
        return self.done


class TestDeparture(Passage):
    def setUp(self) -> None:
        super().setUp()
        migration = self.owners.operation(SERVER, MIGRATION)
        migration.__enter__()
        self.addCleanup(migration.__exit__, None, None, None)
        passage.expect_departure(
            self.owners, SERVER, MIGRATION, self.switch, self.done.append
        )

    def test_it_is_told_when_the_address_is_given_up(self) -> None:
        self.assertEqual([Place.AWAY, True], self.come(Moment.STOPS))

    def test_a_guest_that_goes_on_and_stops_again(self) -> None:
        self.assertEqual(
            [Place.AWAY, True, Place.ARRIVING, False, Place.AWAY, True],
            self.come(Moment.STOPS, Moment.RUNS, Moment.STOPS),
        )

    def test_it_is_not_told_while_the_address_is_here(self) -> None:
        self.works = False
        self.assertEqual([Place.AWAY], self.come(Moment.STOPS))
        self.assertEqual([Place.ARRIVING, False], self.come(Moment.RUNS))

    def test_it_is_not_told_when_somebody_else_has_taken_over(self) -> None:
        def too_late(turn: Any, place: Place) -> bool:
            raise errors.NotOurTurn('the end of a live migration')

        passage.expect_departure(
            self.owners, SERVER, MIGRATION, too_late, self.done.append
        )
        self.assertEqual([], self.come(Moment.STOPS))

    def test_the_end_of_the_migration_sees_to_it_itself(self) -> None:
        with self.owners.operation(SERVER, 'the end of a live migration'):
            self.assertEqual([], self.come(Moment.STOPS, Moment.RUNS))


class TestArrival(Passage):
    def setUp(self) -> None:
        super().setUp()
        passage.expect_arrival(self.owners, SERVER, self.switch)

    def test_a_guest_that_comes(self) -> None:
        self.assertEqual(
            [Place.DUE, Place.ARRIVING], self.come(Moment.NEAR, Moment.RUNS)
        )

    def test_a_guest_that_stays_where_it_was(self) -> None:
        self.assertEqual(
            [Place.DUE, Place.AWAITED, Place.DUE],
            self.come(Moment.NEAR, Moment.FAR, Moment.NEAR),
        )

    def test_what_is_told_late_is_passed_over(self) -> None:
        self.assertEqual(
            [Place.ARRIVING], self.come(Moment.RUNS, Moment.NEAR, Moment.FAR)
        )

    def test_an_operation_ends_it(self) -> None:
        with self.owners.operation(SERVER, 'the end of a preparation'):
            """It is rolled back."""
        self.assertEqual([], self.come(Moment.NEAR, Moment.RUNS))
