# SPDX-License-Identifier: Apache-2.0
"""What a host asks of others while all its servers are in order.

usage: python -m benchmarks.idle [-h] [--servers N,N,...] [--minutes M]

Boots servers with a VF each on one compute host, all of Nova's services in
this process, on the libvirt double: once with Nova's own driver and once with
ours. Then Nova's periodic tasks and our chores run by a clock of the
benchmark, and what is asked of the database, Neutron, placement and libvirt
is counted. The database is asked through the conductor, whose requests these
are. The heartbeat of nova-compute is left out, in which no driver has a part.

There is no limit that could fail; the status says only whether it could be
measured.
"""

import argparse
import sys

import rich.table

from benchmarks import measuring
from nova_pt_migrate.tests.functional import idle

DRIVERS = {'stock': idle.Stock, 'ours': idle.Ours}
NAMES = {
    'conductor': 'conductor',
    'neutron': 'Neutron',
    'placement': 'placement',
    'libvirt': 'libvirt',
}


def table(
    sizes: list[int], loads: dict[str, list[idle.Load]], minutes: int
) -> rich.table.Table:
    """Return what was measured, and what ours asks more than stock."""
    result = rich.table.Table(
        title='Calls a minute of a host with servers in order',
        caption=f'over {minutes} minutes of a clock that is not real',
    )
    result.add_column('servers', justify='right')
    for name in NAMES.values():
        result.add_column(f'{name}:\nstock', justify='right')
        for what in ('ours', 'more'):
            result.add_column(what, justify='right')
    for size, stock, ours in zip(
        sizes, loads['stock'], loads['ours'], strict=True
    ):
        cells = [
            f'{value:.2f}'
            for kind in NAMES
            for value in _compared(
                idle.Idle.total(stock, kind), idle.Idle.total(ours, kind)
            )
        ]
        result.add_row(str(size), *cells)
    return result


def _compared(stock: float, ours: float) -> tuple[float, float, float]:
    return stock, ours, ours - stock


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.idle',
        description='Calls a minute of a host whose servers are in order: '
        'Nova\'s own driver and ours.',
    )
    parser.add_argument(
        '--servers',
        default='1,10,50,100',
        help='numbers of servers, from few to many (default: 1,10,50,100)',
    )
    parser.add_argument(
        '--minutes',
        type=int,
        default=30,
        help='how long each is counted, by its clock (default: 30)',
    )
    return parser.parse_args()


def main() -> int:
    given = arguments()
    sizes = [int(size) for size in given.servers.split(',')]
    console = measuring.console()
    loads: dict[str, list[idle.Load]] = {}
    for name, kind in DRIVERS.items():
        console.print(f'{given.servers} servers, {kind.DRIVER} ...')
        try:
            loads[name] = measuring.of(
                kind, lambda test: list(test.loads(sizes, given.minutes))
            )
        except measuring.Failed as exc:
            console.print(str(exc), markup=False)
            return 1
    console.print(table(sizes, loads, given.minutes))
    return 0


if __name__ == '__main__':
    sys.exit(main())
