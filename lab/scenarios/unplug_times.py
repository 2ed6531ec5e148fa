# SPDX-License-Identifier: Apache-2.0
"""Seconds from the first unplug request to libvirt's migrate call.

For servers with 1, 2, 4 and 6 real VFs, one migration each. Figures with
the load and no limit: an emulated guest is no measure of a real one.
"""

import collections.abc
import dataclasses
import json
import pathlib

from lab import settings
from lab.judge import record
from lab.report import tables
from lab.scenarios import journey

COUNTS = (1, 2, 4, 6)


@dataclasses.dataclass(frozen=True)
class Figure:
    """What one migration took."""

    devices: int
    unplug: float | None  # seconds, where the log tells them
    whole: float
    lost: int
    load: float
    passed: bool


def run(setup: settings.Settings, folder: pathlib.Path) -> int:
    """Measure all, print a table, write the figures as JSON."""
    figures = [figure(count, one(setup, folder, count)) for count in COUNTS]
    print('\n' + tables.table(HEAD, rows(figures)))
    path = folder / 'unplug-times.json'
    path.write_text(
        json.dumps([dataclasses.asdict(f) for f in figures], indent=1) + '\n'
    )
    print(f'\nFigures: {path}')
    return 0 if all(f.passed for f in figures) else 1


def one(
    setup: settings.Settings, folder: pathlib.Path, count: int
) -> record.Move:
    """Migrate a server with so many VFs once."""
    part = folder / f'{count}-vfs'
    part.mkdir()
    name = f'{folder.name}-{count}'
    said = tables.count(count, 'VF')
    journey.say(f'booting a server with {said}')
    server = journey.boot(setup, name, setup.hosts[0].name, count)
    way = journey.Journey(setup, part, server, rate=20)
    with journey.probing(way):
        move, _ = journey.migrate(way, said, journey.home(way))
    if move.passed:
        journey.delete(setup, server.uuid)
    return move


def figure(count: int, move: record.Move) -> Figure:
    """Take the figure out of a migration."""
    return Figure(
        devices=count,
        unplug=unplug_to_migrate(move.phases),
        whole=move.seconds,
        lost=sum(window.lost for window in move.windows),
        load=max(move.load),
        passed=move.passed,
    )


def unplug_to_migrate(
    phases: collections.abc.Iterable[record.Phase],
) -> float | None:
    """Give the seconds between the first starts of two phases."""
    starts: dict[str, float] = {}
    for phase in phases:
        starts.setdefault(phase.name, phase.start)
    if not {'unplug', 'move'} <= starts.keys():
        return None
    return starts['move'] - starts['unplug']


HEAD = ('VFs', 'unplug to migrate, s', 'whole, s', 'lost', 'load', 'verdict')


def rows(figures: list[Figure]) -> list[tables.Row]:
    """Lay the figures out."""
    return [
        (
            str(figure.devices),
            '-' if figure.unplug is None else f'{figure.unplug:.2f}',
            f'{figure.whole:.1f}',
            str(figure.lost),
            f'{figure.load:.1f}',
            tables.word(figure.passed),
        )
        for figure in figures
    ]
