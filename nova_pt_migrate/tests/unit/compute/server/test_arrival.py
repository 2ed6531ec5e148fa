# SPDX-License-Identifier: Apache-2.0

import dataclasses
from typing import Any

from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model
from nova_pt_migrate.core import waits
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.compute.traffic import sides
from nova_pt_migrate.tests.unit.guest import fakes

PORT = f'3{test_paired_ports.PORT[1:]}'
ACTIVE = sides.ACTIVE


class Domain(sides.Domain):
    """A guest with a second port, and what it has sent on each."""

    def __init__(self) -> None:
        super().__init__()
        self.sent_on = {'tap3': 7, 'tap4': 7}
        self.tells = True

    def observe(self) -> model.Found:
        targets = {f'tap{n}': f'fa:16:3e:00:00:0{n}' for n in (3, 4)}
        return dataclasses.replace(super().observe(), targets=targets)

    def sent(self, target: str) -> int:
        if not self.tells:
            raise errors.HostError('libvirt does not count')
        return self.sent_on[target]


class TestArrival(sides.HostSideTest):
    """A bond over two ports is switched, and the guest sends or not."""

    standby_mac = 'fa:16:3e:00:00:03'

    def setUp(self) -> None:
        super().setUp()
        self.domain = Domain()
        self.ports = test_paired_ports.over_two()
        self.guest = fakes.Guest()
        self.bond()
        path = '/proc/net/bonding/bond0'
        self.guest.files[path] = self.guest.files[path].replace(
            '(active-backup)', '(active-backup) (fail_over_mac active)'
        )
        self.sends_at: dict[str, float] = {}
        self.departure = departures.Departure()
        self.stops_at = 999.0

    def pause(self, seconds: float) -> None:
        super().pause(seconds)
        if self.now >= self.stops_at:
            self.departure.abort()
        for target, at in self.sends_at.items():
            if self.now >= at:
                self.domain.sent_on[target] += 1

    def over(self) -> list[str]:
        return self.pairs(self.ports).over(self.departure)

    def test_it_is_over_when_the_guest_has_sent(self) -> None:
        self.sends_at = {'tap3': 1.0}
        self.assertEqual([], self.over())
        self.assertEqual('ens6', self.guest.files[ACTIVE])
        self.assertGreater(self.now, 0.9)
        self.assertLess(self.now, 1.5)

    def test_what_is_sent_on_another_port_does_not_count(self) -> None:
        self.sends_at = {'tap4': 0.0}
        self.assertEqual(1, len(self.over()))

    def test_what_was_sent_while_it_was_switched_counts(self) -> None:
        write = self.guest.guest_file_write

        def announce(handle: int, buf_b64: str) -> Any:
            self.domain.sent_on['tap3'] += 1
            return write(handle, buf_b64)

        self.guest.guest_file_write = announce  # type: ignore[method-assign]
        self.assertEqual([], self.over())
        self.assertEqual(0.0, self.now)

    def test_a_guest_that_is_quiet_is_told_of(self) -> None:
        (sentence,) = self.over()
        self.assertIn(f'port {PORT} for 3 s', sentence)
        self.assertIn('num_grat_arp', sentence)
        self.assertGreaterEqual(self.now, waits.ARRIVED)
        self.assertLess(self.now, waits.ARRIVED + 1)

    def test_counters_that_fail_on_the_way_are_looked_at_again(self) -> None:
        pause = self.pause

        def lose(seconds: float) -> None:
            pause(seconds)
            self.domain.tells = self.now > 1.0

        self.pause = lose  # type: ignore[method-assign]
        self.sends_at = {'tap3': 0.5}
        self.assertEqual([], self.over())
        self.assertGreater(self.now, 1.0)

    def test_what_cannot_be_seen_is_not_waited_for(self) -> None:
        self.domain.tells = False
        self.assertEqual([], self.over())
        self.assertEqual(0.0, self.now)
        self.assertIn(f'sends on port {PORT} cannot be seen', self.log.output)
        self.assertEqual('ens6', self.guest.files[ACTIVE])

    def test_one_that_was_not_switched_is_not_waited_for(self) -> None:
        self.ports = test_paired_ports.over_two('preferred')
        self.guest.said['guest-file-write'] = {'return': {'count': 4}}
        self.assertEqual([], self.over())
        self.assertEqual(0.0, self.now)

    def test_an_abort_ends_it(self) -> None:
        self.stops_at = 1.0
        self.assertRaises(errors.Aborted, self.over)
        self.assertLess(self.now, 1.5)

    def test_a_guest_that_tells_nothing_is_not_waited_for(self) -> None:
        self.guest.enabled = []
        self.assertEqual([], self.over())
        self.assertEqual(0.0, self.now)


class TestOwnStandby(sides.HostSideTest):
    def test_nothing_is_waited_for(self) -> None:
        """Its MAC address is the device's; there is nothing to learn."""
        self.bond()
        self.assertEqual([], self.pairs().over())
        self.assertEqual(0.0, self.now)
