# SPDX-License-Identifier: Apache-2.0
"""Servers with pass-through devices arrive with all of them."""

from nova.tests.fixtures import cinder

from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import shared

VOLUME = cinder.CinderFixture.IMAGE_BACKED_VOL


class Moves(shared.Shared, ours.OurMigrations):
    def assert_moves(
        self, ports: list[str], devices: int, volume: str | None = None
    ) -> None:
        """Boot, migrate, look at everything.

        :param devices: how many of the ports have a pass-through device
        """
        server, whole = self.prepare(ports, volume)
        left = whole.places()
        self.assertEqual(devices, len(left))

        self.migrate(server)

        arrived = whole.places()
        self.assertEqual(devices, len(arrived - left))
        self.assert_one_owner(left, arrived)
        whole.check(
            always.End(
                base.DESTINATION,
                'completed',
                volumes=(volume,) if volume else (),
            )
        )


class LiveMigrationTest(Moves):
    def test_after_suspend_and_resume(self) -> None:
        """Nova takes the devices out of both documents, and back into one."""
        server, whole = self.prepare(self.ports.direct(2))
        for action, status in (('suspend', 'SUSPENDED'), ('resume', 'ACTIVE')):
            self.api.post_server_action(server['id'], {action: None})
            self._wait_for_state_change(server, status)
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(server, 'failed')
        whole.check(always.End(base.SOURCE, 'failed'))
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_one_vf(self) -> None:
        self.assert_moves(self.ports.direct(), 1)

    def test_two_vfs(self) -> None:
        self.assert_moves(self.ports.direct(2), 2)

    def test_eight_vfs(self) -> None:
        self.assert_moves(self.ports.direct(8), 8)

    def test_with_ordinary_ports(self) -> None:
        first, second = self.ports.direct(2)
        ordinary, another = self.ports.ordinary(2)
        self.assert_moves([ordinary, first, another, second], 2)

    def test_a_whole_physical_function(self) -> None:
        ports = [self.ports.direct_physical(), *self.ports.direct()]
        self.assert_moves(ports, 2)

    def test_from_volume(self) -> None:
        self.assert_moves(self.ports.direct(), 1, VOLUME)

    def test_from_volume_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_moves(self.ports.direct(2), 2, VOLUME)

    def test_from_image_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_moves(self.ports.direct(2), 2)

    def test_guest_addresses_stay_behind_a_gap(self) -> None:
        """At the first free addresses the guest would get other devices."""
        (gap,) = self.ports.ordinary()
        ports = self.ports.direct(2)
        server = self.boot([gap, *ports])
        self._detach_interface(server, gap)
        self.double.calls.clear()
        whole = always.Always(self, server, ports)
        left = whole.places()

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_one_owner(left, whole.places())

    def test_there_and_back(self) -> None:
        ports = self.ports.direct(2) + self.ports.ordinary()
        server, whole = self.prepare(ports)
        at_first = whole.places()

        self.migrate(server)
        there = whole.places()
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.double.calls.clear()
        self.migrate(server)

        back = whole.places()
        self.assertEqual(len(at_first), len(back - there))
        self.assert_one_owner(there, back)
        whole.check(always.End(base.SOURCE, 'completed'))


class OtherAddressesTest(Moves):
    """The destination's devices are at addresses that the source lacks."""

    BUSES = {base.DESTINATION: base.OTHER_BUS}

    def test_two_vfs(self) -> None:
        self.assert_moves(self.ports.direct(2), 2)

    def test_a_whole_physical_function(self) -> None:
        self.assert_moves([self.ports.direct_physical()], 1)

    def test_it_stays_and_is_tried_again(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(server, 'failed')
        whole.check(always.End(base.SOURCE, 'failed'))
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
