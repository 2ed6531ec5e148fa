# SPDX-License-Identifier: Apache-2.0
"""A server with an ordinary port and a VF, live-migrated there and back."""

import pathlib
import time

from lab import settings
from lab.judge import record
from lab.report import page
from lab.report import tables
from lab.scenarios import journey


def run(
    setup: settings.Settings,
    folder: pathlib.Path,
    rate: int = 20,
    keep: bool = False,
) -> int:
    """Do it, report it, and delete a server that came home whole."""
    done = there_and_back(setup, folder, rate)
    path = page.write(done, folder)
    print(f'\n{tables.text(done)}\n\nReport: {path}')
    if done.passed and not keep:
        journey.delete(setup, done.server)
    else:
        print(
            f'Server {done.server} is kept; see: python3 -m lab openstack '
            f'server show {done.server}'
        )
    return 0 if done.passed else 1


def there_and_back(
    setup: settings.Settings, folder: pathlib.Path, rate: int
) -> record.Run:
    """Boot a server and migrate it twice, under a probe."""
    started = time.time()
    first = setup.hosts[0].name
    journey.say(f'booting a server with a VF on {first}')
    server = journey.boot(setup, folder.name, first, 1)
    way = journey.Journey(setup, folder, server, rate)
    with journey.probing(way):
        found = journey.home(way)
        there, found = journey.migrate(way, 'There', found)
        moves = [there]
        if there.passed:
            moves.append(journey.migrate(way, 'Back', found)[0])
    title = 'A server with a VF, live-migrated there and back'
    return way.run(title, started, moves, notes(moves))


def notes(moves: list[record.Move]) -> tuple[str, ...]:
    """Say what a reader must know to trust the figures."""
    return tuple(
        f'{move.name}: everything was found clean on both hosts '
        f'{move.settled:.0f} s after the client had returned.'
        for move in moves
        if move.passed
    )
