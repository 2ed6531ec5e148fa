# SPDX-License-Identifier: Apache-2.0
"""What one run of the demo saw, as values that can be written as JSON.

All times are seconds since the epoch by the clock of the machine that runs
the lab; what other clocks said has been corrected before it comes here.
"""

import dataclasses
import json
import pathlib
import typing

MARGIN = 5.0  # seconds of pings to keep before and after a migration


@dataclasses.dataclass(frozen=True)
class Sample:
    """One ping: when it was sent, and the answer's delay if one came."""

    sequence: int
    sent: float
    delay: float | None


@dataclasses.dataclass(frozen=True)
class Phase:
    """One phase of a migration as nova-compute's log tells it."""

    name: str
    host: str
    start: float
    end: float
    result: str
    devices: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclasses.dataclass(frozen=True)
class Window:
    """Successive pings without an answer, and the phase they fall in."""

    start: float
    end: float
    lost: int
    phase: str = ''

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a server and its devices are, as each side shows it."""

    host: str
    live: tuple[str, ...]
    database: tuple[str, ...]
    guest: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Check:
    """One sentence of the verdict and what was seen."""

    what: str
    passed: bool
    seen: str


@dataclasses.dataclass(frozen=True)
class Event:
    """An event that Nova itself recorded for the migration."""

    action: str
    event: str
    host: str
    start_time: str
    finish_time: str
    result: str
    details: str


@dataclasses.dataclass(frozen=True)
class Move:
    """One live migration: times, phases, loss, places and verdict."""

    name: str
    source: str
    destination: str
    requested: float
    finished: float
    before: Place
    after: Place
    phases: tuple[Phase, ...]
    windows: tuple[Window, ...]
    checks: tuple[Check, ...]
    load: tuple[float, float]
    settled: float = 0.0  # seconds after finished until nothing was left
    said: str = ''  # by the client
    events: tuple[Event, ...] = ()
    samples: tuple[Sample, ...] = ()

    @property
    def seconds(self) -> float:
        return self.finished - self.requested

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


@dataclasses.dataclass(frozen=True)
class Run:
    """A whole run of the demo."""

    title: str
    started: float
    server: str
    devices: int
    rate: int
    machine: str
    moves: tuple[Move, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return bool(self.moves) and all(move.passed for move in self.moves)


def to_json(run: Run) -> str:
    """Give the figures of a run; the samples have their own file."""
    figures = dataclasses.asdict(run) | {'passed': run.passed}
    for move in figures['moves']:
        del move['samples']
    return json.dumps(figures, indent=1)


def from_json(text: str, samples: tuple[Sample, ...]) -> Run:
    """Read what to_json wrote, each move with the samples of its time."""
    data = json.loads(text)
    del data['passed']
    data['moves'] = tuple(_move(move, samples) for move in data['moves'])
    return Run(**data | {'notes': tuple(data['notes'])})


def around(
    samples: tuple[Sample, ...], requested: float, settled: float
) -> tuple[Sample, ...]:
    """Give the samples of a migration and of a little before and after.

    :param settled: when the server was found whole, or was given up
    """
    first, last = requested - MARGIN, settled + MARGIN
    return tuple(sample for sample in samples if first <= sample.sent <= last)


def write(run: Run, folder: pathlib.Path) -> pathlib.Path:
    """Write the figures of a run into its folder."""
    path = folder / 'run.json'
    path.write_text(to_json(run) + '\n')
    return path


def _move(data: dict[str, typing.Any], samples: tuple[Sample, ...]) -> Move:
    settled = data['finished'] + data['settled']
    parts: dict[str, typing.Any] = {
        'before': _place(data['before']),
        'after': _place(data['after']),
        'phases': tuple(_phase(phase) for phase in data['phases']),
        'windows': tuple(Window(**window) for window in data['windows']),
        'checks': tuple(Check(**check) for check in data['checks']),
        'load': tuple(data['load']),
        'events': tuple(Event(**event) for event in data['events']),
        'samples': around(samples, data['requested'], settled),
    }
    return Move(**data | parts)


def _phase(data: dict[str, typing.Any]) -> Phase:
    return Phase(**data | {'devices': tuple(data['devices'])})


def _place(data: dict[str, typing.Any]) -> Place:
    lists = {key: tuple(data[key]) for key in ('live', 'database', 'guest')}
    return Place(**data | lists)
