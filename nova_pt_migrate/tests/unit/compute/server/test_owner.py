# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
import functools
import threading
from typing import Any
from unittest import mock

import fixtures
import testtools

from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.core import errors

SERVER = 'the-server'
PATIENCE = 30.0
RUNS = owner.Moment.RUNS


class Thing:
    """Something that is done to a server."""

    name = 'a thing'

    def __init__(self, do: Callable[[], Any] = lambda: None) -> None:
        self._do = do
        self.done: list[int] = []

    def act(self, number: int) -> int:
        self._do()
        self.done.append(number)
        return number


class OwnerTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.owners = owner.Owners()

    def take_over(self) -> None:
        with self.owners.operation(SERVER, 'a reboot'):
            """A short one."""

    def in_thread(self, function: Callable[[], Any]) -> threading.Thread:
        thread = threading.Thread(target=function, daemon=True)
        thread.start()
        self.addCleanup(thread.join, PATIENCE)
        return thread


class TestOwners(OwnerTest):
    def test_a_turn_does_its_steps(self) -> None:
        thing = Thing()
        with self.owners.turn(SERVER, 'a look') as turn:
            self.assertEqual(1, turn.guard(thing).act(1))
            self.assertEqual('a thing', turn.guard(thing).name)
            turn.pause(0.0)
            turn.check()

    def test_an_operation_ends_it_before_its_next_step(self) -> None:
        thing = Thing()
        with self.owners.turn(SERVER, 'a look') as turn:
            turn.guard(thing).act(1)
            self.take_over()
            for late in (
                lambda: turn.guard(thing).act(2),
                lambda: turn.guard_asking(thing).act(2),
                lambda: turn.pause(0.0),
                turn.check,
            ):
                self.assertRaises(errors.NotOurTurn, late)
        self.assertEqual([1], thing.done)

    def test_the_next_turn_is_good(self) -> None:
        self.take_over()
        with self.owners.turn(SERVER, 'a look') as turn:
            turn.check()

    def test_another_server_does_not_matter(self) -> None:
        with self.owners.turn('another', 'a look') as turn:
            self.take_over()
            turn.check()

    def test_no_turn_begins_while_something_is_under_way(self) -> None:
        for what in (self.owners.operation, self.owners.turn):
            with what(SERVER, 'something'):
                refused = self.assertRaises(
                    errors.NotOurTurn,
                    self.owners.turn(SERVER, 'a look').__enter__,
                )
            self.assertIn('something is under way', str(refused))

    def test_one_that_cannot_wait_ends_another(self) -> None:
        with (
            self.owners.turn(SERVER, 'a look') as turn,
            self.owners.turn(SERVER, 'its arrival', first=True) as first,
        ):
            self.assertRaises(errors.NotOurTurn, turn.check)
            first.check()
            with self.owners.operation(SERVER, 'a reboot'):
                self.assertRaises(errors.NotOurTurn, first.check)

    def test_operations_do_not_wait_for_each_other(self) -> None:
        with (
            self.owners.operation(SERVER, 'a live migration'),
            self.owners.operation(SERVER, 'the way home'),
        ):
            self.assertEqual(2, len(self.owners.under_way()))

    def test_what_is_settled_waits_for_operations_only(self) -> None:
        with self.owners.operation(SERVER, 'a reboot'):
            self.assertRaises(
                errors.NotOurTurn,
                self.owners.settling(SERVER, 'an end').__enter__,
            )
        with (
            self.owners.turn(SERVER, 'a look') as turn,
            self.owners.settling(SERVER, 'an end'),
        ):
            self.assertRaises(errors.NotOurTurn, turn.check)

    def test_an_operation_waits_for_the_step_under_way(self) -> None:
        began, go_on = threading.Event(), threading.Event()

        def do() -> None:
            began.set()
            go_on.wait(PATIENCE)

        thing = Thing(do)

        def look() -> None:
            with self.owners.turn(SERVER, 'a look') as turn:
                turn.guard(thing).act(1)

        self.in_thread(look)
        began.wait(PATIENCE)
        operation = self.in_thread(self.take_over)
        operation.join(0.1)
        self.assertTrue(operation.is_alive())
        go_on.set()
        operation.join(PATIENCE)
        self.assertFalse(operation.is_alive())
        self.assertEqual([1], thing.done)

    def test_and_not_for_long(self) -> None:
        began, go_on = threading.Event(), threading.Event()

        def look() -> None:
            with self.owners.turn(SERVER, 'a look') as turn, turn.step():
                began.set()
                go_on.wait(PATIENCE)

        self.in_thread(look)
        began.wait(PATIENCE)
        with mock.patch.object(owner, 'PATIENCE', 0.0):
            self.take_over()
        go_on.set()
        self.assertIn(
            'Server the-server: a reboot does not wait any longer for a look',
            self.log.output,
        )

    def test_who_waits_is_woken(self) -> None:
        waits = threading.Event()
        ended: list[type] = []

        def look(wait: Callable[[turns.Turn], Any]) -> None:
            try:
                with self.owners.turn(SERVER, 'a look') as turn:
                    waits.set()
                    wait(turn)
            except errors.NotOurTurn as exc:
                ended.append(type(exc))

        silent = threading.Event()
        self.addCleanup(silent.set)
        for wait in (
            lambda turn: turn.pause(3600.0),
            lambda turn: turn.ask(lambda: silent.wait(3600.0)),
        ):
            waits.clear()
            looking = self.in_thread(functools.partial(look, wait))
            waits.wait(PATIENCE)
            self.take_over()
            looking.join(PATIENCE)
        self.assertEqual([errors.NotOurTurn] * 2, ended)

    def test_a_guest_that_answers_with_an_error(self) -> None:
        def answer() -> None:
            raise errors.GuestError('no')

        with self.owners.turn(SERVER, 'a look') as turn:
            self.assertRaises(errors.GuestError, turn.ask, answer)
            self.assertEqual(7, turn.guard_asking(Thing()).act(7))

    def test_nothing_begins_once_it_is_closed(self) -> None:
        with self.owners.turn(SERVER, 'a look') as turn:
            self.owners.close()
            turn.check()
            self.assertEqual(
                ['server the-server: a look'], self.owners.under_way()
            )
        for begin in (self.owners.turn, self.owners.settling):
            self.assertRaises(
                errors.NotOurTurn, begin(SERVER, 'more').__enter__
            )
        self.take_over()

    def test_nothing_is_kept_of_those_that_are_done(self) -> None:
        self.take_over()
        with self.owners.turn(SERVER, 'a look'):
            """A short one."""
        self.owners.expect(
            SERVER, RUNS, owner.Expected(lambda turn: None, last=True)
        )
        self.owners.take(SERVER, RUNS)
        self.assertIsNone(self.owners.take(SERVER, RUNS))
        self.assertEqual({}, self.owners._owners)
