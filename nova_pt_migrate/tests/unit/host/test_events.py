# SPDX-License-Identifier: Apache-2.0

import threading

import testtools

from nova_pt_migrate.core import interfaces
from nova_pt_migrate.host import events

GONE = interfaces.DeviceEvent('hostdev0', True)


class TestDeviceEvents(testtools.TestCase):
    def test_a_watch_gets_the_events_of_its_domain_only(self) -> None:
        hub = events.DeviceEvents()
        with hub.watch('a') as first, hub.watch('b') as second:
            self.assertTrue(hub.publish('a', GONE))
            self.assertEqual([GONE], first.wait(0))
            self.assertEqual([], second.wait(0))

    def test_each_event_is_given_once(self) -> None:
        hub = events.DeviceEvents()
        with hub.watch('a') as watch:
            hub.publish('a', GONE)
            self.assertEqual([GONE], watch.wait(0))
            self.assertEqual([], watch.wait(0))

    def test_an_event_that_nobody_watches_for_is_said_to_be_so(self) -> None:
        hub = events.DeviceEvents()
        with hub.watch('a'):
            pass
        self.assertFalse(hub.publish('a', GONE))

    def test_an_event_wakes_a_waiting_thread(self) -> None:
        hub = events.DeviceEvents()
        got: list[interfaces.DeviceEvent] = []
        with hub.watch('a') as watch:
            thread = threading.Thread(
                target=lambda: got.extend(watch.wait(60))
            )
            thread.start()
            hub.publish('a', GONE)
            thread.join(60)
        self.assertEqual([GONE], got)

    def test_a_watch_can_be_woken_without_an_event(self) -> None:
        hub = events.DeviceEvents()
        with hub.watch('a') as watch:
            hub.wake('b')
            hub.wake('a')
            self.assertEqual([], watch.wait(60))
