# SPDX-License-Identifier: Apache-2.0

import threading
from unittest import mock

import testtools

from nova_pt_migrate.compute.server import departures
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

    def test_an_abort_by_the_user_is_told_from_one_by_nova(self) -> None:
        departure = departures.Departure()
        departure.abort()
        self.assertEqual((True, False), (departure.stopped, departure.aborted))
        user = threading.Thread(target=departure.abort)
        user.start()
        user.join()
        self.assertTrue(departure.aborted)

    def test_it_ends_with_the_last_of_its_threads(self) -> None:
        departure = departures.Departure()
        with departure.running():
            with departure.running():
                pass
            self.assertFalse(departure.ended.is_set())
        self.assertTrue(departure.ended.is_set())
        self.assertRaises(errors.Aborted, departure.running().__enter__)

    def test_a_job_that_does_not_exist_yet_is_aborted_when_it_does(
        self,
    ) -> None:
        answers: list[Exception | None] = [ValueError('no job'), None]
        departure = departures.Departure()

        def abort() -> None:
            answer = answers.pop(0)
            if answer is not None:
                raise answer

        with mock.patch.object(departures, 'ABORT_MOMENT', 0.0):
            departure.abort_job(abort)
        self.assertEqual([], answers)

    def test_a_job_that_ends_by_itself_needs_no_abort(self) -> None:
        departure = departures.Departure()
        with departure.running():
            pass
        departure.abort_job(mock.Mock(side_effect=ValueError('no job')))


class TestDepartures(testtools.TestCase):
    def test_a_departure_is_known_while_it_is_under_way(self) -> None:
        all_ = departures.Departures()
        with all_.begin('a') as departure:
            self.assertIs(departure, all_.of('a'))
            self.assertIsNone(all_.under_way('b'))
        self.assertIsNone(all_.under_way('a'))
        self.assertEqual({}, all_._departures)
        self.assertTrue(departure.ended.is_set())
        self.assertRaises(errors.Aborted, all_.of, 'a')

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
