# SPDX-License-Identifier: Apache-2.0
"""Ping an address many times a second and write down every echo.

Run inside the lab's network namespace:

    python3 -m lab.observe.probe --target 10.9.0.7 --source 10.9.0.1 --out FILE

It ends by itself after --seconds, or cleanly on SIGTERM. Each line of the
file is one event: a request that was sent, or an answer that came.
"""

import argparse
import collections.abc
import json
import os
import pathlib
import select
import signal
import socket
import struct
import time
import types
import typing

from lab.judge import record

_ECHO_REQUEST = 8
_ECHO_REPLY = 0
_HEADER = struct.Struct('!BBHHH')
# The sequence number of ICMP wraps after 65536; ours is in the payload.
_PAYLOAD = struct.Struct('!Q48x')


def checksum(data: bytes) -> int:
    """Compute the Internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def request(identifier: int, sequence: int) -> bytes:
    """Build an echo request."""
    payload = _PAYLOAD.pack(sequence)
    parts = (_ECHO_REQUEST, 0, 0, identifier, sequence & 0xFFFF)
    whole = _HEADER.pack(*parts) + payload
    parts = (_ECHO_REQUEST, 0, checksum(whole), *parts[3:])
    return _HEADER.pack(*parts) + payload


def answered(packet: bytes, identifier: int) -> int | None:
    """Give the sequence number that an IPv4 packet answers, if ours."""
    message = packet[(packet[0] & 0x0F) * 4 :]
    if len(message) < _HEADER.size + _PAYLOAD.size:
        return None
    kind, _, _, owner, _ = _HEADER.unpack_from(message)
    if kind != _ECHO_REPLY or owner != identifier:
        return None
    sequence: int = _PAYLOAD.unpack_from(message, _HEADER.size)[0]
    return sequence


def read(lines: collections.abc.Iterable[str]) -> tuple[record.Sample, ...]:
    """Join requests and answers; of answers that came twice the first."""
    sent: dict[int, tuple[float, float]] = {}
    came: dict[int, float] = {}
    for line in lines:
        if not line.endswith('\n'):
            break  # the probe is just writing it
        event = json.loads(line)
        if event['event'] == 'sent':
            sent[event['sequence']] = event['monotonic'], event['wall']
        elif event['event'] == 'answered':
            came.setdefault(event['sequence'], event['monotonic'])
    return tuple(
        record.Sample(
            number, wall, came[number] - left if number in came else None
        )
        for number, (left, wall) in sent.items()
    )


class Probe:
    """Send requests at fixed times and collect what comes back."""

    def __init__(
        self,
        link: socket.socket,
        target: str,
        rate: float,
        out: typing.TextIO,
    ) -> None:
        self._link = link
        self._target = target
        self._rate = rate
        self._out = out
        self._identifier = os.getpid() & 0xFFFF
        self._stopped = False

    def stop(
        self, _number: int = 0, _frame: types.FrameType | None = None
    ) -> None:
        """Let run end, soon and after the last answers."""
        self._stopped = True

    def run(self, seconds: float, linger: float = 2.0) -> None:
        """Ping until told to stop, at most so long, then wait for answers."""
        start = time.monotonic()
        slot = 0
        while not self._stopped and slot < seconds * self._rate:
            due = start + slot / self._rate
            self._listen(due)
            self._send(slot)
            # A probe that got no processor sends late, never in a burst.
            late = time.monotonic() - start
            slot = max(slot + 1, int(late * self._rate))
        self._listen(time.monotonic() + linger)

    def _listen(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._link], [], [], left)[0]:
                return
            packet = self._link.recv(2048)
            sequence = answered(packet, self._identifier)
            if sequence is not None:
                self._write('answered', sequence)

    def _send(self, sequence: int) -> None:
        self._write('sent', sequence)
        try:
            self._link.sendto(
                request(self._identifier, sequence), (self._target, 0)
            )
        except OSError as error:
            # No neighbour answers for the address: a loss like any other.
            self._write('refused', sequence, error=str(error))

    def _write(self, event: str, sequence: int, **more: str) -> None:
        line = {
            'event': event,
            'sequence': sequence,
            'monotonic': round(time.monotonic(), 6),
            'wall': round(time.time(), 6),
        }
        self._out.write(json.dumps(line | more) + '\n')
        self._out.flush()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description='Ping and write it down.')
    parser.add_argument('--target', required=True)
    parser.add_argument('--source', required=True)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--rate', type=float, default=20.0)
    parser.add_argument('--seconds', type=float, default=3600.0)
    options = parser.parse_args(arguments)
    link = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with link, options.out.open('w') as out:
        link.bind((options.source, 0))
        probe = Probe(link, options.target, options.rate, out)
        signal.signal(signal.SIGTERM, probe.stop)
        signal.signal(signal.SIGINT, probe.stop)
        probe.run(options.seconds)


if __name__ == '__main__':
    main()
