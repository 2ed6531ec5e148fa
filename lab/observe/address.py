# SPDX-License-Identifier: Apache-2.0
"""Where a server's address is while it migrates, as wire and hosts tell.

Frames at the hosts' taps, what the switch between the hosts learns, and the
filters of the physical functions, all in our time. Such a filter has the
address by an entry, of which the kernel tells, or by a macvtap that is on
(drivers/net/macvlan.c, macvlan_open), of which it does not.
"""

import collections.abc
import contextlib
import datetime
import pathlib
import re

from lab import settings
from lab import shell
from lab.hosts import config
from lab.hosts import machine
from lab.judge import address
from lab.network import namespace
from lab.observe import clock
from lab.observe import facts
from lab.observe import wire

UNIT = 'lab-filters'
OUT = '/run/lab-filters'
ENTRIES = 'bridge -timestamp monitor fdb'
LINKS = 'ip -timestamp monitor link'
START = (
    f'systemctl reset-failed {UNIT} 2>/dev/null; '
    f'systemd-run -q --unit {UNIT} '
    f'sh -c "{LINKS} > {OUT}-links & exec {ENTRIES} > {OUT}"'
)
STOP = f'systemctl stop {UNIT}; cat {OUT} {OUT}-links'
SWITCH = 'switch'
MACVTAPS = ('pts', 'macvtap')
"""How the driver and libvirt name theirs."""

_ASCTIME = '%a %b %d %H:%M:%S %Y'
_TIME = re.compile(r'Timestamp: (?P<second>.+) (?P<micro>\d+) usec$')
_LINK = re.compile(
    r'(?P<gone>Deleted )?\d+: (?P<name>[^:@]+)[^:]*: <(?P<flags>[^>]*)>'
)
_ADDRESS = re.compile(r' +link/ether (?P<mac>[0-9a-f:]{17}) ')
_ENTRY = re.compile(
    r'(?P<gone>Deleted )?(?P<mac>[0-9a-f:]{17}) dev (?P<name>\S+)'
)


class Watch:
    """What was seen; empty until the block has ended."""

    def __init__(self) -> None:
        self.sights: list[address.Sight] = []


@contextlib.contextmanager
def watching(
    setup: settings.Settings, folder: pathlib.Path, server: facts.Server
) -> collections.abc.Iterator[Watch]:
    """Watch a server's addresses until the block ends.

    :param folder: for what was seen; each watch needs its own
    """
    taps = {
        namespace.tap(nic, host): host.name
        for host in setup.hosts
        for nic in wire.NICS
    }
    learned = folder / 'switch.txt'
    watch = Watch()
    with wire.watching(setup, folder, server.macs) as frames:
        argv = ['sh', '-c', f'exec {ENTRIES} > {learned}']
        shell.spawn(setup, SWITCH, shell.in_netns(setup, argv))
        for host in setup.hosts:
            machine.ssh(setup, host, START, timeout=60)
        try:
            yield watch
        finally:
            shell.stop(setup, SWITCH)
            for host in setup.hosts:
                ahead = clock.measure(setup, host)
                printed = machine.ssh(setup, host, STOP, timeout=60)
                (folder / f'filters-{host.name}.txt').write_text(printed)
                watch.sights += filtered(
                    printed.splitlines(), server, host.name, ahead
                )
    watch.sights += learned_at(learned.read_text().splitlines(), server, taps)
    watch.sights += [
        address.Sight(frame.time, taps[frame.place], address.Kind.SENT)
        for frame in frames.frames()
    ]


def learned_at(
    lines: collections.abc.Iterable[str],
    server: facts.Server,
    taps: dict[str, str],
) -> list[address.Sight]:
    """Read at which hosts the switch learned the addresses.

    An entry that it deletes was of use to nobody for minutes.

    :param lines: as ``bridge monitor`` prints them
    :param taps: the host behind each
    """
    return [
        address.Sight(time, taps[name], address.Kind.LEARNED)
        for time, gone, name in _read(lines, server)
        if name in taps and not gone
    ]


def filtered(
    lines: collections.abc.Iterable[str],
    server: facts.Server,
    host: str,
    ahead: clock.Ahead,
) -> list[address.Sight]:
    """Read when the filter of a host's physical function had the addresses.

    :param lines: as ``bridge monitor`` and ``ip monitor`` print them there
    """
    return [
        address.Sight(
            time - ahead.seconds,
            host,
            address.Kind.CLOSED if gone else address.Kind.OPENED,
            ahead.error,
        )
        for time, gone, name in _read(lines, server)
        if name == config.PHYSICAL_FUNCTION or name.startswith(MACVTAPS)
    ]


def _read(
    lines: collections.abc.Iterable[str], server: facts.Server
) -> collections.abc.Iterator[tuple[float, bool, str]]:
    """Give time, whether it is gone, and netdev, where one is the server's.

    A netdev that is off counts as gone.
    """
    time, name, gone = 0.0, '', False
    for line in lines:
        if told := _TIME.match(line):
            second = datetime.datetime.strptime(told['second'], _ASCTIME)
            # Neither the hosts nor this machine have another zone.
            utc = second.replace(tzinfo=datetime.UTC)
            time = utc.timestamp() + int(told['micro']) / 1e6
            continue
        if link := _LINK.match(line):
            name = link['name']
            gone = bool(link['gone']) or 'UP' not in link['flags'].split(',')
            continue
        found = _ADDRESS.match(line)
        if entry := _ENTRY.match(line):
            found, name, gone = entry, entry['name'], bool(entry['gone'])
        if found and found['mac'] in server.macs:
            yield time, gone, name
