# SPDX-License-Identifier: Apache-2.0
"""The guests of the double release devices as they say."""

from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional.testing import double
from nova_pt_migrate.tests.functional.testing import hosts


class GuestTest(double.DoubleTestCase):
    def ask_two(self, guest: guests.Guest) -> None:
        self.double.settings.guest = guest
        domain = self.start('one', hosts.vf(1), hosts.vf(2))
        for alias in ('hostdev0', 'hostdev1'):
            domain.detachDeviceAlias(alias, double.LIVE)
        self.pass_seconds(10)

    def test_together(self) -> None:
        self.ask_two(guests.Together(0.5))
        self.assertEqual(
            [
                (0.5, double.REMOVED, 'hostdev0'),
                (0.5, double.REMOVED, 'hostdev1'),
            ],
            self.events,
        )

    def test_one_by_one(self) -> None:
        self.ask_two(guests.OneByOne(0.5))
        self.assertEqual(
            [
                (0.5, double.REMOVED, 'hostdev0'),
                (1.0, double.REMOVED, 'hostdev1'),
            ],
            self.events,
        )

    def test_refuses(self) -> None:
        self.ask_two(guests.Refuses(0.5))
        self.assertEqual(
            [double.KEPT, double.KEPT], [event for _, event, _ in self.events]
        )

    def test_never(self) -> None:
        self.ask_two(guests.Never())
        self.assertEqual([], self.events)

    def test_by_device(self) -> None:
        self.ask_two(
            guests.ByDevice(
                {hosts.address(2): guests.Never()}, guests.Together(0.5)
            )
        )
        self.assertEqual([(0.5, double.REMOVED, 'hostdev0')], self.events)

    def test_deaf_to_the_first_request(self) -> None:
        self.double.settings.guest = guests.Deaf(1, guests.Together(0.5))
        domain = self.start('one', hosts.vf())
        domain.detachDeviceAlias('hostdev0', double.LIVE)
        self.pass_seconds(5)
        self.assertEqual([], self.events)
        domain.detachDeviceAlias('hostdev0', double.LIVE)
        self.pass_seconds(5)
        self.assertEqual([(5.5, double.REMOVED, 'hostdev0')], self.events)

    def test_blocking_detach_returns_when_released(self) -> None:
        self.double.settings.guest = guests.Together(0.5)
        domain = self.start('one', hosts.vf())
        domain.detachDeviceFlags(hosts.vf(), double.LIVE)
        self.assertEqual(0.5, self.double.clock.now())
        self.assertEqual([], self.devices(domain))
