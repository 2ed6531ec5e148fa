# SPDX-License-Identifier: Apache-2.0
"""How long a guest is without its devices before it starts to move.

usage: python -m benchmarks.unplug [-h] [--seconds S] [--devices N,N,...]

Live-migrates servers with 1, 2, 4 and 8 VFs between two computes, all of
Nova's services in this process, on the libvirt double: once with Nova's own
driver and once with ours. Measured are the seconds from the first unplug
request to libvirt's migrate call. Nova's driver asks for one device, waits
for it, and asks for the next; ours asks for all and waits for all. What that
saves depends on the guest, so there are two kinds: guests that release
devices at the same time, and guests that release one after the other, where
nothing can be saved.

The releases are of the double (0.5 s each); the rest is real work of Nova and
of this machine, so small differences mean nothing. There is no limit that
could fail; the status says only whether it could be measured.
"""

import argparse
from collections.abc import Callable
import dataclasses
import logging
import sys
import unittest

import rich.console
import rich.table

from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import base

DRIVERS = {'stock': base.STOCK, 'ours': base.OURS}
GUESTS: dict[str, Callable[[float], guests.Guest]] = {
    'at the same time': guests.Together,
    'one after the other': guests.OneByOne,
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One migration to measure."""

    guest: str
    devices: int


class Measurement(base.TwoComputes):
    """Runs all cases with one driver.

    :param found: takes the seconds of each case
    """

    def __init__(
        self,
        driver: str,
        cases: list[Case],
        seconds: float,
        found: dict[Case, float],
    ) -> None:
        super().__init__('measure')
        self.DRIVER = driver
        self._found = found
        self._cases = cases
        self._seconds = seconds

    def measure(self) -> None:
        for case in self._cases:
            self._found[case] = self._migrate_once(case)

    def _migrate_once(self, case: Case) -> float:
        self.double.settings.guest = GUESTS[case.guest](self._seconds)
        server = self.boot(self.ports.direct(case.devices))
        self.migrate(server)
        asked = self.double.calls.of('detachDeviceAlias', 'detachDeviceFlags')
        (moved,) = self.double.calls.of('migrateToURI3')
        self._delete_server(server)
        self._run_periodics()
        return float(moved.at - asked[0].at)


def table(
    cases: list[Case], found: dict[str, dict[Case, float]], seconds: float
) -> rich.table.Table:
    """Return what was measured, and ours in relation to stock."""
    result = rich.table.Table(
        title='First unplug request to migrate call',
        caption=f'a release takes {seconds:g} s',
    )
    result.add_column('the guest releases')
    for name in ('VFs', 'stock, s', 'ours, s', 'ours / stock'):
        result.add_column(name, justify='right')
    for case in cases:
        stock, ours = found['stock'][case], found['ours'][case]
        result.add_row(
            case.guest,
            str(case.devices),
            f'{stock:.2f}',
            f'{ours:.2f}',
            f'{ours / stock:.2f}',
        )
    return result


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.unplug',
        description='Seconds from the first unplug request to libvirt\'s '
        'migrate call: Nova\'s own driver and ours.',
    )
    parser.add_argument(
        '--seconds',
        type=float,
        default=0.5,
        help='what a guest takes to release a device (default: 0.5)',
    )
    parser.add_argument(
        '--devices',
        default='1,2,4,8',
        help='numbers of VFs, 1 to 8 (default: 1,2,4,8)',
    )
    return parser.parse_args()


def main() -> int:
    given = arguments()
    cases = [
        Case(guest, int(devices))
        for guest in GUESTS
        for devices in given.devices.split(',')
    ]
    console = rich.console.Console()
    logging.disable(logging.CRITICAL)
    found: dict[str, dict[Case, float]] = {name: {} for name in DRIVERS}
    for name, driver in DRIVERS.items():
        console.print(f'{len(cases)} live migrations, {driver} ...')
        measurement = Measurement(driver, cases, given.seconds, found[name])
        result = unittest.TestResult()
        measurement.run(result)
        for _, trouble in result.errors + result.failures:
            console.print(trouble, markup=False)
            return 1
    logging.disable(logging.NOTSET)
    console.print(table(cases, found, given.seconds))
    return 0


if __name__ == '__main__':
    sys.exit(main())
