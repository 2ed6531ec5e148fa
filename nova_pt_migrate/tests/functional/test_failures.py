# SPDX-License-Identifier: Apache-2.0
"""A live migration that goes wrong leaves a whole server on one host."""

from typing import Any

from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import shared


class NotReleasedTest(shared.Shared, ours.OurMigrations):
    """The guest keeps a device, so the server stays where it is."""

    UNPLUG_TIMEOUT = 1.0
    UNPLUG_RETRY = 0.3

    def assert_stays_whole(self, special: Any, ports: list[str]) -> None:
        """Migrate with a guest that treats its last device in its own way."""
        server, whole = self.prepare(ports)
        self.double.settings.guest = guests.ByDevice(
            {whole.devices()[ports[-1]]: special}, guests.Together()
        )

        self.migrate(server, 'failed')

        whole.check(always.End(base.SOURCE, 'failed'))
        self.assertEqual([], self.double.calls.of('migrateToURI3'))
        released = [whole.devices()[port] for port in ports[:-1]]
        self.assert_plugged(base.SOURCE, released)

    def test_the_only_device_is_never_released(self) -> None:
        self.assert_stays_whole(guests.Never(), self.ports.direct())

    def test_one_of_two_is_never_released(self) -> None:
        self.assert_stays_whole(guests.Never(), self.ports.direct(2))

    def test_the_guest_reports_a_failed_removal(self) -> None:
        self.assert_stays_whole(guests.Refuses(), self.ports.direct(2))

    def test_a_whole_physical_function_is_never_released(self) -> None:
        self.assert_stays_whole(guests.Never(), [self.ports.direct_physical()])

    def test_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_stays_whole(guests.Never(), self.ports.direct(2))

    def test_works_when_tried_again(self) -> None:
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        self.double.settings.guest = guests.Never()
        self.migrate(server, 'failed')
        self.double.settings.guest = guests.Together()
        self.double.calls.clear()
        left = whole.places()

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_one_owner(left, whole.places())


class SlowGuestTest(shared.Shared, ours.OurMigrations):
    """The guest needs more than one request, or much time."""

    UNPLUG_RETRY = 0.2

    def assert_moves(
        self, guest: guests.Guest, requests: int, releases: bool = True
    ) -> None:
        """The server moves after so many requests for each device.

        :param releases: the guest does it by itself; else once it was asked
            that often
        """
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        left = list(whole.devices().values())
        self.double.settings.guest = guest

        def asked() -> bool:
            return all(
                requests
                <= len(
                    self.double.calls.of(
                        ours.OUR_UNPLUG, host=base.SOURCE, device=device
                    )
                )
                for device in left
            )

        def release() -> None:
            self.wait_for(asked, 'the requests')
            self.release(server)

        self.migrate(server, meanwhile=(lambda: None) if releases else release)

        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertTrue(asked())
        self.assert_plugged(base.DESTINATION, whole.devices().values())

    def test_a_request_is_lost(self) -> None:
        self.assert_moves(guests.Deaf(1, guests.Together()), 2)

    def test_a_repeated_request_is_refused_as_pending(self) -> None:
        self.double.settings.unplug_guard = base.NEVER
        self.assert_moves(guests.Together(base.NEVER), 2, releases=False)

    def test_one_device_after_the_other(self) -> None:
        self.assert_moves(guests.OneByOne(0.3), 1)


class MigrationFailsTest(shared.Shared, ours.OurMigrations):
    def assert_comes_home(self) -> None:
        ports = self.ports.direct(2) + self.ports.ordinary()
        server, whole = self.prepare(ports)
        devices = whole.places()
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )

        self.migrate(server, 'failed')

        whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_one_owner(devices, devices)

    def test_the_server_comes_home(self) -> None:
        self.assert_comes_home()

    def test_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_comes_home()


class PlugFailsTest(shared.Shared, ours.OurMigrations):
    LEASE = 600.0

    def heal(self, host: str) -> None:
        """Let the time pass after which it is tried again."""
        late = self.computes[host].driver._pt.healer
        self.assertTrue(late._lacking)
        with self.processes.within(host):
            late.check_again(self.ctxt)
        self.wait_for(lambda: not late._lacking, 'the device to be plugged')

    def test_the_others_are_plugged_at_the_destination(self) -> None:
        ports = self.ports.direct(3)
        server, whole = self.prepare(ports)
        self.double.faults.fail(
            ours.PLUG,
            errors.internal('No more available PCI slots'),
            host=base.DESTINATION,
        )

        self.migrate(server)

        calls = self.double.calls.of(ours.PLUG, host=base.DESTINATION)
        self.assertEqual(
            sorted(whole.devices().values()),
            sorted(call.devices[0] for call in calls),
        )
        (failed,) = [call.devices[0] for call in calls if call.error]
        (port,) = [p for p, d in whole.devices().items() if d == failed]
        whole.check(
            always.End(base.DESTINATION, 'completed', degraded=(port,))
        )
        self.heal(base.DESTINATION)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_the_others_are_plugged_again_at_the_source(self) -> None:
        ports = self.ports.direct(3)
        server, whole = self.prepare(ports)
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.double.faults.fail(
            ours.PLUG, errors.internal('vfio refused'), host=base.SOURCE
        )

        self.migrate(server, 'failed')

        calls = self.double.calls.of(ours.PLUG, host=base.SOURCE)
        (failed,) = [call.devices[0] for call in calls if call.error]
        (port,) = [p for p, d in whole.devices().items() if d == failed]
        self.assertEqual(3, len(calls))
        whole.check(always.End(base.SOURCE, 'failed', degraded=(port,)))
        self.heal(base.SOURCE)
        whole.check(always.End(base.SOURCE, 'failed'))
