# SPDX-License-Identifier: Apache-2.0

from nova_pt_migrate.compute.server import moments
from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.core import errors
from nova_pt_migrate.tests.unit.compute.server import test_owner

SERVER = test_owner.SERVER
PATIENCE = 30.0
RUNS, STOPS = owner.Moment.RUNS, owner.Moment.STOPS


class TestMoments(test_owner.OwnerTest):
    def setUp(self) -> None:
        super().setUp()
        self.moments = moments.Moments(self.owners)
        self.moments.start()
        self.addCleanup(self.moments.stop)
        self.turns: list[turns.Turn] = []

    def prepare(self) -> None:
        with self.owners.operation(SERVER, 'the preparation'):
            self.owners.expect(
                SERVER, RUNS, owner.Expected(self.turns.append, last=True)
            )

    def comes(self, moment: owner.Moment = RUNS) -> int:
        self.moments.come(SERVER, moment)
        self.assertTrue(self.moments.wait(PATIENCE))
        return len(self.turns)

    def test_what_is_expected_is_done_once(self) -> None:
        self.prepare()
        self.assertEqual(1, self.comes())
        self.assertEqual(1, self.comes())

    def test_another_operation_ends_what_is_expected(self) -> None:
        self.prepare()
        self.take_over()
        self.assertEqual(0, self.comes())

    def test_who_looks_at_it_meanwhile_gives_way(self) -> None:
        self.prepare()
        with self.owners.turn(SERVER, 'a look') as turn:
            self.assertEqual(1, self.comes())
            self.assertRaises(errors.NotOurTurn, turn.check)

    def test_nothing_is_expected_after_the_last(self) -> None:
        with self.owners.operation(SERVER, 'the preparation'):
            again = owner.Expected(self.turns.append)
            last = owner.Expected(self.turns.append, last=True)
            self.owners.expect(SERVER, STOPS, again)
            self.owners.expect(SERVER, RUNS, last)
        self.assertEqual(1, self.comes(STOPS))
        self.assertEqual(2, self.comes(STOPS))
        self.assertEqual(3, self.comes(RUNS))
        self.assertEqual(3, self.comes(STOPS))
        self.assertEqual({}, self.owners._owners)

    def test_what_comes_within_an_operation_is_done_in_it(self) -> None:
        within = owner.Expected(self.turns.append, 'the departure')
        with self.owners.operation(SERVER, 'the departure'):
            self.owners.expect(SERVER, STOPS, within)
            self.owners.expect(SERVER, RUNS, within)
            for count, moment in enumerate((STOPS, RUNS, STOPS), start=1):
                self.assertEqual(count, self.comes(moment))
            with self.owners.operation(SERVER, 'the end'):
                self.assertEqual(3, self.comes(STOPS))
            self.assertRaises(errors.NotOurTurn, self.turns[0].check)
            self.assertEqual(3, self.comes(STOPS))

    def test_it_is_not_done_in_another_one(self) -> None:
        self.owners.expect(
            SERVER, STOPS, owner.Expected(self.turns.append, 'the departure')
        )
        expected = self.owners.take(SERVER, STOPS)
        assert expected is not None
        with self.owners.operation(SERVER, 'a start'):
            self.moments._switch(SERVER, STOPS, expected)
        self.assertEqual([], self.turns)

    def test_one_that_nobody_expects(self) -> None:
        self.assertEqual(0, self.comes())

    def test_nothing_is_done_while_nova_does_it(self) -> None:
        self.prepare()
        with self.owners.operation('another', 'a start'):
            expected = self.owners.take(SERVER, RUNS)
            assert expected is not None
        with self.owners.operation(SERVER, 'the arrival'):
            self.moments._switch(SERVER, RUNS, expected)
        self.assertEqual([], self.turns)

    def test_after_the_stop_nothing_begins(self) -> None:
        self.prepare()
        self.moments.stop()
        self.assertEqual(0, self.comes())
        self.assertIn(SERVER, self.log.output)
