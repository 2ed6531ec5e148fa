# SPDX-License-Identifier: Apache-2.0
"""What one live migration asks of others: Nova's own driver and ours.

usage: python -m benchmarks.calls [-h] [--names KIND]

All of Nova's services run in this process, on the libvirt double. Servers of
each kind migrate there and back, and the calls of the third migration are
counted, on both hosts together. The database is asked through the conductor,
whose requests these are; a notification is a versioned one. Nova's own driver
knows of no pairs, so that with it a server with pairs is as one without.

There is no limit that could fail; the status says only whether it could be
measured.
"""

import argparse
import sys

import rich.table

from benchmarks import measuring
from nova_pt_migrate.tests.functional import cost
from nova_pt_migrate.tests.functional.sweep import servers

CASES = {
    'no device': (servers.Case(0, ordinary=1), servers.Case(0, ordinary=1)),
    '1 VF': (servers.Case(1), servers.Case(1)),
    '4 VFs': (servers.Case(4), servers.Case(4)),
    '1 VF, failover': (servers.Case(1, pairing='failover'), servers.Case(1)),
    '1 VF, bond': (servers.Case(1, pairing='bond'), servers.Case(1)),
}
"""What migrates: with our driver, and with Nova's."""
Costs = dict[str, cost.Cost]


def measure() -> tuple[Costs, Costs]:
    """Return what each case costs with ours, and with stock.

    :raises measuring.Failed: it could not be measured
    """
    found: list[Costs] = []
    for side, kind in enumerate((cost.Ours, cost.Stock)):

        def costs(test: cost.Measured, side: int = side) -> Costs:
            return {
                name: test.cost(cases[side]) for name, cases in CASES.items()
            }

        found.append(measuring.of(kind, costs))
    ours, stock = found
    return ours, stock


def table(ours: Costs, stock: Costs) -> rich.table.Table:
    """Return both side by side, with what is ours over what is stock's."""
    result = rich.table.Table(
        title='Calls of one live migration, ours / stock'
    )
    result.add_column('')
    for name in CASES:
        result.add_column(name, justify='right')
    for kind in cost.KINDS:
        cells = []
        for name in CASES:
            one, other = (
                cost.Measured.total(found[name], kind)
                for found in (ours, stock)
            )
            ratio = f' ({one / other:.2f})' if other else ''
            cells.append(f'{one} / {other}{ratio}')
        result.add_row(kind, *cells)
    return result


def names(kind: str, ours: Costs, stock: Costs) -> rich.table.Table:
    """Return the calls of one kind that differ, by name."""
    result = rich.table.Table(title=f'{kind}, where they differ')
    result.add_column('')
    for name in CASES:
        result.add_column(name, justify='right')
    known = {
        call
        for found in (ours, stock)
        for costs in found.values()
        for what, call in costs
        if what == kind
    }
    for call in sorted(known):
        counts = [
            (ours[name][kind, call], stock[name][kind, call]) for name in CASES
        ]
        if any(one != other for one, other in counts):
            result.add_row(call, *(f'{a} / {b}' for a, b in counts))
    return result


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.calls',
        description='Calls of one migration: Nova\'s own driver and ours.',
    )
    parser.add_argument(
        '--names',
        action='append',
        choices=cost.KINDS,
        default=[],
        help='show the calls of this kind that differ; may be repeated',
    )
    return parser.parse_args()


def main() -> int:
    given = arguments()
    console = measuring.console()
    try:
        ours, stock = measure()
    except measuring.Failed as exc:
        console.print(str(exc), markup=False)
        return 1
    console.print(table(ours, stock))
    for kind in given.names:
        console.print(names(kind, ours, stock))
    return 0


if __name__ == '__main__':
    sys.exit(main())
