# SPDX-License-Identifier: Apache-2.0

from typing import Any
from typing import cast

import testtools

from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import removals
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.host import events
from nova_pt_migrate.tests.unit.compute import test_our_vifs

SERVER = 'the-server'


class TestRemovals(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.events = events.DeviceEvents()
        self.departures = departures.Departures()
        self.looks: list[str] = []
        self.removals = removals.Removals(
            self.events, self.departures, cast(Any, self)
        )
        self.removals.expect(SERVER, [test_our_vifs.VF])

    def check_soon(self, server: str) -> None:
        self.looks.append(server)

    def take(
        self,
        server: str = SERVER,
        alias: str = 'hostdev0',
        removed: bool = True,
    ) -> bool:
        return self.removals.take(
            server, interfaces.DeviceEvent(alias, removed)
        )

    def test_a_device_that_nobody_waits_for_is_looked_after(self) -> None:
        self.assertFalse(self.take())
        self.assertEqual([SERVER], self.looks)

    def test_what_is_not_ours_is_left_alone(self) -> None:
        self.removals.expect('plain', [test_our_vifs.ORDINARY])
        with self.events.watch(SERVER) as watch:
            self.assertFalse(self.take(alias='virtio-disk1'))
            self.assertFalse(self.take(alias='net0'))
            self.assertFalse(self.take('plain'))
            self.assertFalse(self.take('unknown'))
            self.assertEqual([], watch.wait(0.0))
        self.assertEqual([], self.looks)

    def test_who_waits_gets_it(self) -> None:
        for removed in (True, False):
            with self.events.watch(SERVER) as watch:
                self.assertTrue(self.take(removed=removed))
                (event,) = watch.wait(0.0)
            self.assertEqual(removed, event.removed)
        self.assertEqual([], self.looks)

    def test_one_that_the_guest_keeps_is_not_lost(self) -> None:
        self.assertFalse(self.take(removed=False))
        self.assertEqual([], self.looks)

    def test_a_departure_looks_itself_in_the_end(self) -> None:
        with self.departures.begin(SERVER) as departure:
            self.assertFalse(self.take())
        self.assertTrue(departure.left_late)
        self.assertEqual([], self.looks)

    def test_a_server_that_has_gone(self) -> None:
        self.assertTrue(self.removals.has(SERVER))
        self.removals.forget(SERVER)
        self.assertFalse(self.removals.has(SERVER))
        self.assertFalse(self.take())
        self.assertEqual([], self.looks)
