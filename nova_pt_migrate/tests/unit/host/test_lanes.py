# SPDX-License-Identifier: Apache-2.0

import subprocess
import sys
import threading

import fixtures
import testtools

from nova_pt_migrate.host import lanes

PATIENCE = 60.0
ENDS = """
import threading
from nova_pt_migrate.host import lanes

begun = threading.Event()


def never() -> None:
    begun.set()
    threading.Event().wait()


lane = lanes.Lanes('test')
lane.start()
lane.put(never)
begun.wait()
"""


class TestLanes(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.done: list[str] = []
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)

    def lane(self, urgent_only: bool = False) -> lanes.Lanes:
        lane = lanes.Lanes('test', urgent_only)
        lane.start()
        self.addCleanup(lane.stop)
        return lane

    def block(self, lane: lanes.Lanes) -> None:
        """Keep the thread for all that is to be done busy."""
        begun = threading.Event()

        def wait() -> None:
            begun.set()
            self.go_on.wait(PATIENCE)

        lane.put(wait)
        begun.wait(PATIENCE)

    def put(self, lane: lanes.Lanes, what: str, urgent: bool = False) -> bool:
        return lane.put(lambda: self.done.append(what), urgent)

    def test_urgent_work_comes_first(self) -> None:
        lane = self.lane()
        self.block(lane)
        for what in ('usual', 'urgent'):
            self.put(lane, what, what == 'urgent')
        self.assertEqual(2, len(lane))
        self.go_on.set()
        self.assertTrue(lane.wait(PATIENCE))
        self.assertEqual(['urgent', 'usual'], self.done)

    def test_urgent_work_does_not_wait_for_other_work(self) -> None:
        lane = self.lane(urgent_only=True)
        self.block(lane)
        told = threading.Event()
        self.put(lane, 'usual')
        lane.put(told.set, urgent=True)
        self.assertTrue(told.wait(PATIENCE))
        self.assertEqual([], self.done)

    def test_an_error_ends_nothing(self) -> None:
        lane = self.lane()

        def fail() -> None:
            raise OSError('disk full')

        lane.put(fail)
        self.put(lane, 'more')
        self.assertTrue(lane.wait(PATIENCE))
        self.assertEqual(['more'], self.done)
        self.assertIn('disk full', self.log.output)

    def test_nothing_begins_after_the_stop(self) -> None:
        lane = self.lane()
        self.block(lane)
        self.put(lane, 'waits')
        lane.stop()
        self.assertFalse(self.put(lane, 'more'))
        self.go_on.set()
        self.assertTrue(lane.wait(PATIENCE))
        self.assertEqual([], self.done)

    def test_what_waits_is_done_if_it_is_to_be(self) -> None:
        lane = self.lane()
        self.block(lane)
        self.put(lane, 'waits')
        lane.stop(forget=False)
        self.go_on.set()
        self.assertTrue(lane.wait(PATIENCE))
        self.assertEqual(['waits'], self.done)

    def test_what_comes_later_is_done_if_it_is_to_be(self) -> None:
        lane = self.lane()
        lane.stop(forget=False)
        for number in range(20):
            self.assertTrue(self.put(lane, str(number)))
            if number % 3:
                self.assertTrue(lane.wait(PATIENCE))
        self.assertTrue(lane.wait(PATIENCE))
        self.assertEqual([str(number) for number in range(20)], self.done)

    def test_a_wait_that_is_too_short(self) -> None:
        lane = self.lane()
        self.block(lane)
        self.assertFalse(lane.wait(0.0))

    def test_a_process_ends_though_work_is_under_way(self) -> None:
        ended = subprocess.run(
            [sys.executable, '-c', ENDS], timeout=PATIENCE, check=False
        )
        self.assertEqual(0, ended.returncode)
