# SPDX-License-Identifier: Apache-2.0
"""The watch over guests notes what may end the only one, and no more."""

from typing import Any

import fixtures

from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import watch
from nova_pt_migrate.tests.functional.testing import double
from nova_pt_migrate.tests.functional.testing import hosts

Memory = states.Memory


class WatchTest(double.DoubleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.deadly: list[str] = []
        self.watch = watch.GuestWatch(
            None, self.double.hypervisors, self.deadly
        )
        self.double.watches.append(self.watch.call)
        self.migrates = True
        self.useFixture(
            fixtures.MockPatchObject(
                watch.GuestWatch, '_migrates', lambda *_args: self.migrates
            )
        )
        self.domain = self.start('one')
        self.guest = self.double.hypervisors['here'].find(
            self.domain.UUIDString()
        )

    def bring(self, memory: Memory) -> machines.Machine:
        """Put another copy of the guest on the other host."""
        there: machines.Machine = self.double.hypervisors['there'].receive(
            hosts.domain('one'), None
        )
        there.memory = memory
        return there

    def hand_over(self, reason: states.Paused, memory: Memory) -> None:
        self.guest.set_state(domains.PAUSED, reason)
        self.guest.memory = memory

    def clear(self) -> None:
        self.watch.message(
            {
                'method': watch.CLEARS,
                'args': {
                    'instance': {
                        'nova_object.data': {
                            'host': 'here',
                            'uuid': self.guest.uuid,
                        }
                    }
                },
            }
        )

    def assert_noted(self, times: int) -> None:
        self.assertEqual(times, len(self.deadly), str(self.deadly))

    def test_the_only_guest_is_ended(self) -> None:
        self.domain.destroy()
        self.assert_noted(1)

    def test_its_user_has_asked_for_that(self) -> None:
        self.migrates = False
        self.domain.destroy()
        self.domain.undefine()
        self.assert_noted(0)

    def test_one_that_is_old_is_ended(self) -> None:
        self.bring(Memory.WHOLE)
        self.hand_over(states.Paused.MIGRATION, Memory.STALE)
        self.domain.destroy()
        self.domain.undefine()
        self.assert_noted(0)

    def test_the_other_copy_waits_for_its_memory(self) -> None:
        self.bring(Memory.STALE)
        self.domain.destroy()
        self.assert_noted(1)

    def test_a_half_is_ended(self) -> None:
        self.bring(Memory.PART)
        self.hand_over(states.Paused.POSTCOPY_FAILED, Memory.PART)
        self.domain.destroy()
        self.assert_noted(1)

    def test_the_last_that_is_known_of_it_is_forgotten(self) -> None:
        self.guest.stop()
        self.domain.undefine()
        self.assert_noted(1)

    def test_who_is_let_run(self) -> None:
        self.hand_over(states.Paused.USER, Memory.WHOLE)
        self.domain.resume()
        self.assert_noted(0)
        for reason in watch.HANDED_OVER:
            self.deadly.clear()
            self.hand_over(reason, Memory.WHOLE)
            self.domain.resume()
            self.assert_noted(1)
        self.deadly.clear()
        self.bring(Memory.WHOLE)
        self.hand_over(states.Paused.USER, Memory.STALE)
        self.domain.resume()
        self.assert_noted(1)

    def test_when_the_destination_may_be_cleared(self) -> None:
        self.clear()
        self.hand_over(states.Paused.USER, Memory.WHOLE)
        self.clear()
        self.assert_noted(0)

    def test_when_it_may_not(self) -> None:
        for reason, memory in (
            (states.Paused.MIGRATION, Memory.WHOLE),
            (states.Paused.POSTCOPY, Memory.PART),
            (states.Paused.USER, Memory.STALE),
        ):
            self.deadly.clear()
            self.hand_over(reason, memory)
            self.clear()
            self.assert_noted(1)
        self.guest.set_state(domains.RUNNING, states.Running.BOOTED)
        self.guest.phase = states.Phase.PERFORM
        self.deadly.clear()
        self.clear()
        self.guest.end_job()
        self.guest.stop()
        self.clear()
        self.assert_noted(2)

    def test_other_messages(self) -> None:
        self.guest.stop()
        message: dict[str, Any] = {'method': 'domain', 'args': {}}
        self.watch.message(message)
        self.assert_noted(0)
