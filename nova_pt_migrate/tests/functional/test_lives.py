# SPDX-License-Identifier: Apache-2.0
"""Nothing of a process that is dead waits for anything any more."""

from collections.abc import Callable
import concurrent.futures
import queue
import threading
from typing import Any

import ddt
import fixtures
import futurist
from oslo_service import loopingcall
import testtools

from nova_pt_migrate.testing import faults
from nova_pt_migrate.tests.functional import lives

PROMPT = 30.0
"""Seconds that a thread may take to notice; it takes one of a hundred."""


def looping_call(reached: threading.Event) -> Any:
    """Wait for a looping call whose own thread dies with the process."""

    def look() -> None:
        reached.set()
        process = lives.worker()
        assert process is not None
        while True:
            process.check()

    call = loopingcall.FixedIntervalLoopingCall(look)
    call.start(interval=0.1)
    return call.wait()


def event(reached: threading.Event) -> Any:
    reached.set()
    return threading.Event().wait()


def event_for_long(reached: threading.Event) -> Any:
    reached.set()
    return threading.Event().wait(3600.0)


def condition(reached: threading.Event) -> Any:
    changed = threading.Condition()
    with changed:
        reached.set()
        return changed.wait_for(lambda: False)


def future(reached: threading.Event) -> Any:
    reached.set()
    return concurrent.futures.Future[None]().result()


def some_futures(reached: threading.Event) -> Any:
    reached.set()
    return concurrent.futures.wait([concurrent.futures.Future[None]()])


def next_in_queue(reached: threading.Event) -> Any:
    reached.set()
    return queue.Queue[None]().get()


def end_of_queue(reached: threading.Event) -> Any:
    todo = queue.Queue[None]()
    todo.put(None)
    reached.set()
    todo.join()


def pool_that_ends(reached: threading.Event) -> Any:
    pool = futurist.ThreadPoolExecutor(max_workers=1)
    pool.submit(event, reached)
    pool.shutdown(wait=True)


def other_thread(reached: threading.Event) -> Any:
    other = threading.Thread(target=event, args=[reached], daemon=True)
    other.start()
    other.join()


def lock_of_other_thread(reached: threading.Event) -> Any:
    lock = threading.Lock()
    held = threading.Event()

    def hold() -> None:
        with lock:
            event(held)

    threading.Thread(target=hold, daemon=True).start()
    held.wait()
    reached.set()
    with lock:
        lives.worker().check()  # type: ignore[union-attr]


@ddt.ddt
class WaitTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(lives.Lives())
        self.process = lives.Process('source')
        self.addCleanup(lambda: self.process.bury())

    def start(self, wait: Callable[[], object]) -> threading.Thread:
        """Let a thread of the process wait."""
        thread = threading.Thread(target=wait, daemon=True)
        with self.process.within():
            thread.start()
        return thread

    @ddt.data(
        looping_call,
        event,
        event_for_long,
        condition,
        future,
        some_futures,
        next_in_queue,
        end_of_queue,
        lock_of_other_thread,
    )
    def test_it_crashes(self, wait: Callable[[threading.Event], Any]) -> None:
        self.assertEqual(['crashed'], self.ends(wait))

    @ddt.data(pool_that_ends, other_thread)
    def test_it_ends(self, wait: Callable[[threading.Event], Any]) -> None:
        """Others that are dead have ended, or it dies first."""
        self.assertEqual(1, len(self.ends(wait)))

    def ends(self, wait: Callable[[threading.Event], Any]) -> list[str]:
        """Let it wait, kill the process, and return how the wait ended."""
        reached = threading.Event()
        ends: list[str] = []

        def noting() -> None:
            try:
                wait(reached)
                ends.append('returned')
            except faults.Crash:
                ends.append('crashed')
                raise

        thread = self.start(noting)
        self.assertTrue(reached.wait(PROMPT))
        self.assertEqual([], ends)
        self.process.kill()
        thread.join(PROMPT)
        return ends

    def test_others_wait_on(self) -> None:
        """A process that dies is no news to those who wait for the same."""
        told = threading.Event()
        ends: list[bool] = []
        waiting = [
            threading.Thread(target=lambda: ends.append(told.wait(PROMPT)))
            for _ in range(2)
        ]
        waiting[0].start()
        other = lives.Process('destination')
        with other.within():
            waiting[1].start()
        dead = self.start(told.wait)
        self.process.kill()
        dead.join(PROMPT)
        self.assertFalse(dead.is_alive())
        self.assertEqual([], ends)
        told.set()
        for thread in waiting:
            thread.join(PROMPT)
        self.assertEqual([True, True], ends)

    def test_a_wait_that_is_told_and_one_that_is_not(self) -> None:
        changed = threading.Condition()
        with self.process.within(), changed:
            self.assertFalse(changed.wait(0.0))
            self.assertFalse(changed.wait(0.01))
            threading.Thread(target=self.tell, args=[changed]).start()
            self.assertTrue(changed.wait(PROMPT))

    @staticmethod
    def tell(changed: threading.Condition) -> None:
        with changed:
            changed.notify()

    def test_its_pool_serves_others(self) -> None:
        """Who has made a pool's only thread is dead; the thread is not."""
        pool = futurist.ThreadPoolExecutor(max_workers=1)
        self.addCleanup(pool.shutdown)
        with self.process.within():
            pool.submit(int).result(PROMPT)
        self.process.kill()
        self.assertEqual(0, pool.submit(int).result(PROMPT))

    def test_what_serves_its_calls_goes_on_until_the_end(self) -> None:
        reached = threading.Event()
        released = threading.Event()
        served: list[bool] = []

        def call() -> None:
            with self.process.effect('libvirt'):
                reached.set()
                served.append(released.wait(PROMPT))
            event(reached)

        for release in (True, False):
            thread = self.start(call)
            self.assertTrue(reached.wait(PROMPT))
            self.process.kill()
            if release:
                released.set()
            else:
                self.assertEqual([], self.process.bury())
            thread.join(PROMPT)
            self.assertFalse(thread.is_alive())
            self.assertEqual([True], served)
            self.process = lives.Process('source')
            reached.clear()
            released.clear()

    def test_one_that_cannot_end_is_named(self) -> None:
        """It waits where nothing of Python's can be woken."""
        self.useFixture(fixtures.MockPatchObject(lives, 'BURIED', 0.0))
        lock = threading.Lock()
        lock.acquire()
        thread = self.start(lock.acquire)
        self.assertEqual([thread], self.process.bury())
        lock.release()
        thread.join(PROMPT)
        self.assertEqual([], self.process.bury())
