# SPDX-License-Identifier: Apache-2.0
"""When a guest stopped and went on, as QEMU of both hosts tells.

What lies before, in and after that is so for every way of migrating, whoever
asks for it and whatever it logs.
"""

import collections.abc
import contextlib
import re

from lab import settings
from lab.hosts import machine
from lab.judge import record
from lab.observe import clock

UNIT = 'lab-events'
OUT = '/run/lab-events'
START = (
    f'systemctl reset-failed {UNIT} 2>/dev/null; '
    f'systemd-run -q --unit {UNIT} sh -c "exec stdbuf -oL virsh -q '
    f'qemu-monitor-event --loop > {OUT}"'
)
STOP = f'systemctl stop {UNIT}; cat {OUT}'

_LINE = re.compile(
    r"event (?P<what>STOP|RESUME) at (?P<time>\d+\.\d{6}) for domain '"
)
_STOPPED = 'STOP'
_WENT_ON = 'RESUME'

Seen = dict[str, list[tuple[float, str]]]


class Stops:
    """What QEMU of each host told; empty until the block has ended.

    It tells of a stop when the CPUs stand, and that the guest goes on just
    before they run.

    :ivar error: seconds by which the times may be wrong
    """

    def __init__(self) -> None:
        self.seen: Seen = {}
        self.error = 0.0

    def phases(self, move: record.Move) -> tuple[record.Phase, ...]:
        """Return what lies before, in and after the stop of a migration.

        None if QEMU told of no stop: it failed before.
        """
        stop, start = self.stopped(move), self.went_on(move)
        if stop is None or start is None:
            return ()
        end = max(move.finished + move.settled, start) + record.MARGIN
        # Each host's clock is known within a millisecond or two.
        start = max(start, stop)
        return (
            record.Phase('unplug', move.source, move.requested, stop, '-'),
            record.Phase('move', move.source, stop, start, '-'),
            record.Phase('plug', move.destination, start, end, '-'),
        )

    def stopped(self, move: record.Move) -> float | None:
        """Return when the guest stopped at the source, if it did."""
        return max(_times(self.seen[move.source], _STOPPED), default=None)

    def went_on(self, move: record.Move) -> float | None:
        """Return when the guest went on at the destination, if it did."""
        return max(_times(self.seen[move.destination], _WENT_ON), default=None)


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
            ahead = clock.measure(setup, host)
            printed = machine.ssh(setup, host, STOP, timeout=60)
            stops.seen[host.name] = read(printed.splitlines(), ahead.seconds)
            stops.error = max(stops.error, ahead.error)


def read(
    lines: collections.abc.Iterable[str], ahead: float = 0.0
) -> list[tuple[float, str]]:
    """Read what virsh printed: the time of each event, and what it is.

    :param ahead: seconds that the clock of that host is ahead
    """
    return [
        (float(match['time']) - ahead, match['what'])
        for match in map(_LINE.match, lines)
        if match
    ]


def _times(seen: list[tuple[float, str]], what: str) -> list[float]:
    return [time for time, word in seen if word == what]
