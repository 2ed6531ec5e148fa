# SPDX-License-Identifier: Apache-2.0
"""Each pairing, live-migrated there and back, and what is lost on the way.

Pinged from outside, and from a VF of the destination's PF, with a TCP
connection that has to live through all of it; beside what Nova's own driver
and QEMU by itself lose.
"""

import dataclasses
import json
import pathlib
import time

from lab import settings
from lab import shell
from lab.hosts import machine
from lab.judge import address as judged
from lab.judge import record
from lab.judge import windows
from lab.observe import address
from lab.observe import downtime
from lab.observe import neighbour
from lab.observe import stream
from lab.report import losses
from lab.report import page
from lab.scenarios import contenders
from lab.scenarios import journey

RATE = 50
CONSOLE = 'cat /var/lib/nova/instances/*/console.log 2>/dev/null || true'
"""What guests have said on their consoles; empty unless one began anew."""
KINDS = {
    'failover': 'one net_failover link over a standby of ours',
    'bond': 'a bond over a standby of ours',
    'ports': 'a bond over two ports',
    'none': 'no pair',
    'alone': "no pair, Nova's own driver",
    'stock': "a bond over two ports, Nova's own driver",
    'qemu': "one net_failover link, QEMU's automatic failover",
}
GUARDED = ('failover', 'bond')
"""Those whose standby has its address at one host at a time."""


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
    lives: dict[str, stream.Life] = {}
    wrong = ''
    for kind in kinds:
        part = folder / kind
        part.mkdir()
        try:
            lives[kind] = one(setup, part, kind, moves, found)
        except shell.Failed as exc:
            wrong = f'{kind}: {exc}'
            break
        journey.say(f'{kind}: {lives[kind].said()}')
        text = json.dumps([dataclasses.asdict(each) for each in found])
        (folder / 'pairs.json').write_text(text + '\n')
    text = '\n\n'.join(
        (
            losses.text(found),
            '\n'.join(f'{kind}: {lives[kind].said()}' for kind in lives),
        )
    )
    (folder / 'pairs.txt').write_text(text + '\n')
    print(f'\n{text}\n\nFigures: {folder}/pairs.json')
    if wrong:
        raise shell.Failed(wrong)
    astray = any(
        loss.where and loss.where.wrong
        for loss in found
        if loss.kind in GUARDED
    )
    lived = all(life.passed for life in lives.values())
    return 0 if lived and not astray else 1


def one(
    setup: settings.Settings,
    folder: pathlib.Path,
    kind: str,
    count: int,
    found: list[losses.Loss],
) -> stream.Life:
    """Migrate one server so often, and tell what became of its connection.

    :param found: what was lost is added to it
    :raises shell.Failed: it did not come whole; it is left to be looked at
    """
    started = time.time()
    journey.say(f'booting a server: {KINDS[kind]}')
    name = f'{folder.parent.name}-{kind}'
    moves: list[record.Move] = []
    with contenders.running(setup, name, kind) as contender:
        server = contender.server
        way = journey.Journey(setup, folder, server, RATE)
        with journey.probing(way):
            host = contender.home(way)
            with stream.running(setup, folder, server.address) as tcp:
                while len(moves) < count and all(m.passed for m in moves):
                    name = f'{kind} {len(moves) + 1}'
                    there = setup.other(host)
                    notes = folder / f'move-{len(moves) + 1}'
                    notes.mkdir()
                    with (
                        address.watching(setup, notes, server) as where,
                        downtime.watching(setup) as stopped,
                        neighbour.probing(
                            setup, there, server.address
                        ) as pings,
                    ):
                        move = contender.migrate(way, name, there.name)
                    host = there.name
                    by_stop = stopped.phases(move)
                    move = _with_phases(move, by_stop)
                    moves.append(move)
                    found.append(
                        losses.of(
                            kind,
                            move,
                            pings.samples,
                            by_stop,
                            _judge(where, stopped, move),
                        )  # fmt: skip
                    )
                    journey.say(found[-1].said())
            for each in setup.hosts:
                path = folder / f'guest-on-{each.name}.txt'
                path.write_text(machine.ssh(setup, each, CONSOLE, 60))
        done = way.run(f'A server with a VF: {KINDS[kind]}', started, moves)
        page.write(done, folder)
        if not done.passed:
            raise shell.Failed(f'{found[-1].said()}; see {folder}/report.txt')
    assert tcp.life is not None
    return tcp.life


def _judge(
    where: address.Watch, stopped: downtime.Stops, move: record.Move
) -> judged.Found | None:
    stop, runs = stopped.stopped(move), stopped.went_on(move)
    if stop is None or runs is None:
        return None
    return judged.judge(where.sights, move, stop, runs, stopped.error)


def _with_phases(
    move: record.Move, phases: tuple[record.Phase, ...]
) -> record.Move:
    """Give a migration phases that has told of none itself."""
    if move.phases:
        return move
    seen = windows.by_phase(move.samples, phases)
    return dataclasses.replace(move, phases=phases, windows=seen)
