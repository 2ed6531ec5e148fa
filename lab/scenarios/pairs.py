# SPDX-License-Identifier: Apache-2.0
"""Each pairing, live-migrated there and back, and what is lost on the way.

Pinged from outside, and from a VF of the destination's PF.
"""

import dataclasses
import json
import pathlib
import time

from lab import journey
from lab import losses
from lab import neighbour
from lab import record
from lab import report
from lab import settings
from lab import shell

RATE = 50
KINDS = {
    'failover': 'one net_failover link over a standby of ours',
    'bond': 'a bond over a standby of ours',
    'ports': 'a bond over two ports',
    'none': 'no pair',
}


def run(
    setup: settings.Settings,
    folder: pathlib.Path,
    only: list[str] | None = None,
    moves: int = 10,
) -> int:
    """Migrate a server of each kind so often, and print the losses.

    :param only: the kinds to take
    """
    kinds = only or list(KINDS)
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise shell.Failed(
            f'no pairing {", ".join(sorted(unknown))}; there are '
            f'{", ".join(KINDS)}'
        )
    found: list[losses.Loss] = []
    for kind in kinds:
        part = folder / kind
        part.mkdir()
        found += one(setup, part, kind, moves)
        text = json.dumps([dataclasses.asdict(each) for each in found])
        (folder / 'pairs.json').write_text(text + '\n')
    text = losses.text(found)
    (folder / 'pairs.txt').write_text(text + '\n')
    print(f'\n{text}\n\nFigures: {folder}/pairs.json')
    return 0 if all(loss.passed for loss in found) else 1


def one(
    setup: settings.Settings, folder: pathlib.Path, kind: str, count: int
) -> list[losses.Loss]:
    """Migrate one server so often, or until it does not come whole."""
    started = time.time()
    journey.say(f'booting a server: {KINDS[kind]}')
    name = f'{folder.parent.name}-{kind}'
    server = journey.boot(setup, name, setup.hosts[0].name, 1, kind)
    way = journey.Journey(setup, folder, server, RATE)
    moves: list[record.Move] = []
    found: list[losses.Loss] = []
    with journey.probing(way):
        facts = journey.home(way)
        while len(moves) < count and all(move.passed for move in moves):
            name = f'{kind} {len(moves) + 1}'
            there = next(h for h in setup.hosts if h.name != facts.host)
            with neighbour.probing(setup, there, server.address) as pings:
                move, facts = journey.migrate(way, name, facts)
            moves.append(move)
            found.append(losses.of(kind, move, pings.samples))
            journey.say(found[-1].said())
    done = record.Run(
        title=f'A server with a VF: {KINDS[kind]}',
        started=started,
        server=server.uuid,
        devices=1,
        rate=RATE,
        machine=journey.machine_said(setup),
        moves=tuple(moves),
    )
    report.write(done, folder)
    if done.passed:
        journey.delete(setup, server.uuid)
    return found
