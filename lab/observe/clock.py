# SPDX-License-Identifier: Apache-2.0
"""How far a host's clock is ahead of ours, within a millisecond or two.

Every kernel answers ICMP timestamps (RFC 792) by itself, so nothing of what
makes a command slow is in it. Run inside the lab's network namespace:

    python3 -m lab.observe.clock 10.8.0.11
"""

import dataclasses
import json
import os
import socket
import struct
import sys
import time

from lab import settings
from lab import shell
from lab.observe import probe

ROUNDS = 20
WAIT = 1.0
"""Seconds for one answer."""

_REQUEST = 13
_REPLY = 14
_MESSAGE = struct.Struct('!BBHHHIII')
_DAY = 86400.0
_TICK = 0.0005
"""The kernel tells whole milliseconds, rounded down: half of one."""


@dataclasses.dataclass(frozen=True)
class Ahead:
    """Seconds that a clock is ahead, and by how much that may be wrong."""

    seconds: float
    error: float


def measure(setup: settings.Settings, host: settings.Host) -> Ahead:
    """Measure how far a host's clock is ahead of ours.

    :raises shell.Failed: it does not answer
    """
    argv = [sys.executable, '-m', 'lab.observe.clock', host.address]
    limit = (ROUNDS + 1) * WAIT + 30
    told = json.loads(shell.run(shell.in_netns(setup, argv), timeout=limit))
    return Ahead(told['seconds'], told['error'])


def request(identifier: int, number: int) -> bytes:
    """Build a timestamp request; ours is kept here, not in the message."""
    parts = (identifier, number, 0, 0, 0)
    whole = _MESSAGE.pack(_REQUEST, 0, 0, *parts)
    return _MESSAGE.pack(_REQUEST, 0, probe.checksum(whole), *parts)


def answered(packet: bytes, identifier: int, number: int) -> float | None:
    """Give the seconds since midnight UTC that an IPv4 packet tells, if ours.

    The middle of when the host got the request and when it answered.
    """
    message = packet[(packet[0] & 0x0F) * 4 :]
    if len(message) < _MESSAGE.size:
        return None
    parts: tuple[int, ...] = _MESSAGE.unpack_from(message)
    kind, _, _, owner, told, _, got, sent = parts
    if kind != _REPLY or (owner, told) != (identifier, number):
        return None
    return (got + sent) / 2000 + _TICK


def ahead(theirs: float, sent: float, came: float) -> Ahead:
    """Compare a host's time with ours before and after.

    :param theirs: seconds since midnight UTC
    """
    middle = (sent + came) / 2
    found = (theirs - middle + _DAY / 2) % _DAY - _DAY / 2
    return Ahead(found, (came - sent) / 2 + _TICK)


def main(address: str) -> int:
    """Print the best of some rounds, the one with the shortest way."""
    found = [
        one
        for number in range(ROUNDS)
        if (one := _ask(address, os.getpid() & 0xFFFF, number))
    ]
    if not found:
        print(f'{address} does not tell its time', file=sys.stderr)
        return 1
    best = min(found, key=lambda one: one.error)
    print(json.dumps(dataclasses.asdict(best)))
    return 0


def _ask(address: str, identifier: int, number: int) -> Ahead | None:
    kind = socket.SOCK_RAW
    with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as wire:
        wire.settimeout(WAIT)
        sent = time.time()
        wire.sendto(request(identifier, number), (address, 0))
        while (came := time.time()) < sent + WAIT:
            try:
                packet = wire.recv(1500)
            except TimeoutError:
                return None
            came = time.time()
            theirs = answered(packet, identifier, number)
            if theirs is not None:
                return ahead(theirs, sent, came)
    return None


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
