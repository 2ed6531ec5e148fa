# SPDX-License-Identifier: Apache-2.0

from typing import Any

import testtools

from nova_pt_migrate.compute import departures
from nova_pt_migrate.core import errors


class TestDeparture(testtools.TestCase):
    def test_an_abort_before_the_move_is_honoured_by_itself(self) -> None:
        departure = departures.Departure()
        self.assertTrue(departure.abort())
        self.assertRaises(errors.Aborted, departure.begin_move)

    def test_an_abort_after_it_is_libvirts(self) -> None:
        departure = departures.Departure()
        departure.begin_move()
        self.assertFalse(departure.abort())

    def test_an_aborted_migration_is_cancelled_not_failed(self) -> None:
        said: list[dict[str, Any]] = []
        departure = departures.Departure()
        recover = departure.recover_by(lambda **kwargs: said.append(kwargs))
        recover()
        departure.abort()
        recover()
        self.assertEqual([{}, {'migration_status': 'cancelled'}], said)


class TestDepartures(testtools.TestCase):
    def test_a_departure_is_known_while_it_is_under_way(self) -> None:
        all_ = departures.Departures()
        with all_.begin('a') as departure:
            self.assertIs(departure, all_.of('a'))
            self.assertIsNone(all_.under_way('b'))
        self.assertIsNone(all_.under_way('a'))
        self.assertIsNot(departure, all_.of('a'))

    def test_a_late_release_is_kept_for_the_end(self) -> None:
        all_ = departures.Departures()
        with all_.begin('a') as departure:
            self.assertTrue(all_.note_unwatched('a', 'hostdev0'))
        self.assertTrue(departure.left_late)
        self.assertFalse(all_.note_unwatched('a', 'hostdev0'))

    def test_an_event_behind_the_proof_is_no_late_release(self) -> None:
        all_ = departures.Departures()
        with all_.begin('a') as departure:
            all_.note_unwatched('a', 'hostdev0')
            departure.released.add('hostdev0')
        self.assertFalse(departure.left_late)
