# SPDX-License-Identifier: Apache-2.0
"""What is on the wire: the frames of some senders, where hosts let them out.

Seen on the taps of the closed network, thus behind the hosts' NICs, and by
the neighbour's VF inside of a host.
"""

import collections
import collections.abc
import contextlib
import dataclasses
import pathlib
import re

from lab import settings
from lab import shell
from lab.hosts import machine
from lab.network import namespace
from lab.observe import clock
from lab.observe import neighbour

NICS = (namespace.DATA, namespace.SECOND)
BESIDE = 'neighbour'
UNIT = 'lab-wire'
OUT = '/run/lab-wire'
STOP = f'systemctl stop {UNIT}; cat {OUT}'
DUMP = ('tcpdump', '-Z', 'root', '-p', '-nn', '-e', '-tt', '-l')

_FRAME = re.compile(
    r'(?P<time>\d+\.\d+) (?P<source>[0-9a-f:]{17}) > [0-9a-f:]{17}, '
    r'(ethertype 802\.1Q .*?: vlan (?P<vlan>\d+))?'
)


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame: when, where and from whom it was seen.

    :ivar place: the tap, or the neighbour
    """

    time: float
    place: str
    source: str
    vlan: int | None


class Wire:
    """What was seen on the wire so far."""

    def __init__(self, files: dict[str, pathlib.Path]) -> None:
        self._files = files
        self._more: list[Frame] = []

    def add(self, frames: collections.abc.Iterable[Frame]) -> None:
        """Add what was seen elsewhere."""
        self._more += frames

    def frames(self) -> list[Frame]:
        """Give all frames."""
        found = list(self._more)
        for place, path in self._files.items():
            if path.exists():
                found += read(path.read_text().splitlines(), place)
        return found

    def between(
        self, start: float, end: float, source: str, *places: str
    ) -> list[Frame]:
        """Give those of one sender in a time, at some or all places."""
        return [
            frame
            for frame in self.frames()
            if start <= frame.time <= end
            and frame.source == source
            and (not places or frame.place in places)
        ]


@contextlib.contextmanager
def watching(
    setup: settings.Settings,
    folder: pathlib.Path,
    sources: collections.abc.Iterable[str],
) -> collections.abc.Iterator[Wire]:
    """Note frames from some MAC addresses at all taps until the block ends."""
    words = _filter(sources)
    names = [namespace.tap(nic, host) for host in setup.hosts for nic in NICS]
    files = {name: folder / f'wire-{name}.txt' for name in names}
    try:
        for name, path in files.items():
            # Only what comes from the host, not what is flooded to it.
            dump = ' '.join((*DUMP, '-i', name, '-Q', 'in', f"'{words}'"))
            argv = ['sh', '-c', f'exec {dump} > {path}']
            shell.spawn(setup, f'wire-{name}', shell.inside(setup, argv))
        yield Wire(files)
    finally:
        for name in files:
            shell.stop(setup, f'wire-{name}')


@contextlib.contextmanager
def beside(
    setup: settings.Settings,
    host: settings.Host,
    target: str,
    sources: collections.abc.Iterable[str],
    wire: Wire,
) -> collections.abc.Iterator[None]:
    """Let the neighbour on a host note such frames as well, and ping."""
    inside = f'ip netns exec {neighbour.NETNS}'
    dump = ' '.join((*DUMP, '-i', '$link', '-Q', 'in', _filter(sources)))
    start = f"""
set -e
link=$(ip -n {neighbour.NETNS} -br link | sed -n '/^lo /d;s/[ @].*//p')
systemctl reset-failed {UNIT} 2>/dev/null || true
systemd-run -q --unit {UNIT} sh -c "exec {inside} {dump} > {OUT}"
"""
    with neighbour.probing(setup, host, target):
        machine.ssh(setup, host, start, timeout=120)
        try:
            yield
        finally:
            ahead = clock.measure(setup, host).seconds
            printed = machine.ssh(setup, host, STOP, timeout=120)
            wire.add(read(printed.splitlines(), BESIDE, ahead))


def read(
    lines: collections.abc.Iterable[str], place: str, ahead: float = 0.0
) -> list[Frame]:
    """Read what tcpdump printed.

    :param ahead: seconds that the clock of that host is ahead
    """
    return [
        Frame(
            time=float(match['time']) - ahead,
            place=place,
            source=match['source'],
            vlan=int(match['vlan']) if match['vlan'] else None,
        )
        for match in map(_FRAME.match, lines)
        if match
    ]


def counted(frames: collections.abc.Iterable[Frame]) -> str:
    """Say how many frames were seen where, and in which VLANs."""
    counts = collections.Counter(
        frame.place if frame.vlan is None else f'{frame.place}.{frame.vlan}'
        for frame in frames
    )
    listed = (f'{count} by {place}' for place, count in sorted(counts.items()))
    return ', '.join(listed) or 'none'


def _filter(sources: collections.abc.Iterable[str]) -> str:
    return ' or '.join(f'ether src {mac}' for mac in sources)
