# SPDX-License-Identifier: Apache-2.0
"""A neighbour of the guests: it pings them from a VF of their own host's PF.

What it sends to a guest on the same host never leaves the NIC, so it sees
what the NIC's embedded switch does, which a probe from outside does not.
"""

import collections.abc
import contextlib
import re

from lab import settings
from lab.hosts import config
from lab.hosts import machine
from lab.judge import record
from lab.observe import clock

RATE = 50
NETNS = 'neighbour'
UNIT = 'lab-neighbour'
OUT = '/run/lab-neighbour'
STOP = f'systemctl stop {UNIT}; cat {OUT}'

_ANSWER = re.compile(
    r'\[(?P<time>[\d.]+)\] \d+ bytes from .*: icmp_seq=(?P<number>\d+) '
    r'.*time=(?P<delay>[\d.]+) ms'
)
_NONE = re.compile(
    r'\[(?P<time>[\d.]+)\] no answer yet for icmp_seq=(?P<number>\d+)'
)
_WRAPS = 65536


def _start(mac: str, own: str, target: str) -> str:
    """Return the script that makes the neighbour, and lets it ping."""
    vf = f'/sys/bus/pci/devices/{config.NEIGHBOUR}'
    pf = config.PHYSICAL_FUNCTION
    return f"""
set -e
if ! ip netns exec {NETNS} true 2>/dev/null; then
    for f in /sys/class/net/{pf}/device/virtfn*; do
        test $(readlink -f $f) != $(readlink -f {vf}) || number=${{f##*virtfn}}
    done
    ip link set {pf} vf $number mac {mac}
    modprobe igbvf
    echo igbvf > {vf}/driver_override
    echo {config.NEIGHBOUR} > /sys/bus/pci/drivers_probe
    link=$(timeout 30 sh -c 'until ls {vf}/net 2>/dev/null; do sleep 1; done')
    ip netns add {NETNS}
    ip link set $link netns {NETNS}
    ip -n {NETNS} address add {own}/24 dev $link
    ip -n {NETNS} link set $link up
fi
timeout 60 sh -c \
    'until ip netns exec {NETNS} ping -nqc 1 -W 1 {target}; do :; done' \
    > /dev/null
systemctl reset-failed {UNIT} 2>/dev/null || true
systemd-run -q --unit {UNIT} sh -c \
    'exec ip netns exec {NETNS} ping -DOn -i {1 / RATE} {target} > {OUT}'
"""


class Pings:
    """What the neighbour on one host has seen; empty until it has ended."""

    def __init__(self) -> None:
        self.samples: tuple[record.Sample, ...] = ()


@contextlib.contextmanager
def probing(
    setup: settings.Settings, host: settings.Host, target: str
) -> collections.abc.Iterator[Pings]:
    """Let the neighbour on a host ping an address until the block ends."""
    mac = f'52:54:00:0b:00:{host.number:02x}'
    own = f'10.9.0.{10 + host.number}'
    machine.ssh(setup, host, _start(mac, own, target), timeout=120)
    pings = Pings()
    try:
        yield pings
    finally:
        ahead = clock.measure(setup, host).seconds
        printed = machine.ssh(setup, host, STOP, timeout=120)
        pings.samples = read(printed.splitlines(), ahead)


def read(
    lines: collections.abc.Iterable[str], ahead: float = 0.0
) -> tuple[record.Sample, ...]:
    """Read what ping printed, with the time of the host that it runs on.

    A request without an answer is noticed when the next one is sent.

    :param ahead: seconds that the clock of that host is ahead
    """
    found: dict[int, record.Sample] = {}
    turns, last = 0, 0
    for line in lines:
        match = _ANSWER.match(line) or _NONE.match(line)
        if match is None:
            continue
        number = int(match['number'])
        if number < last - _WRAPS // 2:
            turns += 1
        last = number
        number += turns * _WRAPS
        time = float(match['time']) - ahead
        if match.re is _NONE:
            sample = record.Sample(number, time - 1 / RATE, None)
            found.setdefault(number, sample)
        elif number not in found or found[number].delay is None:
            delay = float(match['delay']) / 1000
            found[number] = record.Sample(number, time - delay, delay)
    return tuple(found[number] for number in sorted(found))
