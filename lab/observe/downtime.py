# SPDX-License-Identifier: Apache-2.0
"""When a guest stopped and went on, as libvirt of both hosts tells.

What lies before, in and after that is so for every way of migrating, whoever
asks for it and whatever it logs.
"""

import collections.abc
import contextlib
import datetime
import re

from lab import settings
from lab.hosts import machine
from lab.judge import record
from lab.observe import facts

UNIT = 'lab-events'
OUT = '/run/lab-events'
START = (
    f'systemctl reset-failed {UNIT} 2>/dev/null; '
    f'systemd-run -q --unit {UNIT} sh -c "exec stdbuf -oL virsh -q event '
    f'--event lifecycle --loop --timestamp > {OUT}"'
)
STOP = f'systemctl stop {UNIT}; cat {OUT}'

_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000): "
    r"event 'lifecycle' for domain '[^']+': (?P<what>.+)$"
)
_STOPPED = 'Suspended'
_WENT_ON = 'Resumed'

Seen = dict[str, list[tuple[float, str]]]


class Stops:
    """What libvirt of each host told; empty until the block has ended."""

    def __init__(self) -> None:
        self.seen: Seen = {}

    def phases(self, move: record.Move) -> tuple[record.Phase, ...]:
        """Return what lies before, in and after the stop of a migration.

        None if libvirt told of no stop: it failed before.
        """
        stopped = _times(self.seen[move.source], _STOPPED)
        went_on = _times(self.seen[move.destination], _WENT_ON)
        if not (stopped and went_on):
            return ()
        stop, start = stopped[-1], went_on[-1]
        end = max(move.finished + move.settled, start) + record.MARGIN
        # Each host's clock is known within some hundredths of a second.
        start = max(start, stop)
        return (
            record.Phase('unplug', move.source, move.requested, stop, '-'),
            record.Phase('move', move.source, stop, start, '-'),
            record.Phase('plug', move.destination, start, end, '-'),
        )


@contextlib.contextmanager
def watching(setup: settings.Settings) -> collections.abc.Iterator[Stops]:
    """Write down what happens to domains in all hosts until the block ends."""
    for host in setup.hosts:
        machine.ssh(setup, host, START, timeout=60)
    stops = Stops()
    try:
        yield stops
    finally:
        for host in setup.hosts:
            ahead = facts.ahead(setup, host)
            printed = machine.ssh(setup, host, STOP, timeout=60)
            stops.seen[host.name] = read(printed.splitlines(), ahead)


def read(
    lines: collections.abc.Iterable[str], ahead: float = 0.0
) -> list[tuple[float, str]]:
    """Read what virsh printed: the time of each event, and what it is.

    :param ahead: seconds that the clock of that host is ahead
    """
    found = []
    for line in lines:
        if match := _LINE.match(line):
            time = datetime.datetime.fromisoformat(match['time'])
            found.append((time.timestamp() - ahead, match['what']))
    return found


def _times(seen: list[tuple[float, str]], what: str) -> list[float]:
    return [time for time, words in seen if words.startswith(what)]
