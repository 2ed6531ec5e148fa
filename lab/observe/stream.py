# SPDX-License-Identifier: Apache-2.0
"""Keep one TCP connection to a guest, and tell whether it lived.

Run inside the lab's network namespace:

    python3 -m lab.observe.stream --target 10.9.0.7 --source 10.9.0.1 --out OUT

The guest echoes what it is sent. This ends by itself when the connection
breaks, or cleanly on SIGTERM, and then writes one JSON object.
"""

import argparse
import collections.abc
import contextlib
import dataclasses
import json
import pathlib
import select
import signal
import socket
import sys
import time
import types

from lab import settings
from lab import shell

ECHO = 7
RATE = 10
CONNECT_SECONDS = 60.0
LINGER_SECONDS = 15.0


@dataclasses.dataclass(frozen=True)
class Life:
    """What became of a connection.

    :ivar sent: bytes
    :ivar echoed: bytes that came back, in order
    :ivar silence: the longest time without an echo, in seconds
    :ivar broken: why it did not live; empty if it did
    """

    sent: int
    echoed: int
    silence: float
    broken: str = ''

    @property
    def passed(self) -> bool:
        """Tell whether all came back."""
        return not self.broken and 0 < self.sent == self.echoed

    def said(self) -> str:
        """Say it in one line."""
        word = 'lived' if self.passed else f'did NOT live: {self.broken}'
        return (
            f'the TCP connection {word}; {self.echoed} of {self.sent} bytes '
            f'came back, {self.silence:.1f} s was the longest silence'
        )


class Stream:
    """One connection, which is sent numbered lines at a steady rate."""

    def __init__(self, link: socket.socket, rate: float = RATE) -> None:
        self._link = link
        self._rate = rate
        self._due = bytearray()
        self._sent = self._echoed = 0
        self._silence = 0.0
        self._heard = time.monotonic()
        self._broken = ''
        self._stopped = False

    def stop(
        self, _number: int = 0, _frame: types.FrameType | None = None
    ) -> None:
        """Let run end, soon and after the last echo."""
        self._stopped = True

    def run(self, seconds: float) -> Life:
        """Send until told to stop, or until it breaks."""
        number, start = 0, time.monotonic()
        while not (self._stopped or self._broken):
            due = start + number / self._rate
            if due - start > seconds:
                break
            self._listen(due)
            self._send(b'%08d\n' % number)
            late = (time.monotonic() - start) * self._rate
            number = max(number + 1, int(late))
        end = time.monotonic() + LINGER_SECONDS
        while self._due and not self._broken and time.monotonic() < end:
            self._listen(time.monotonic() + 0.1)
        if self._due and not self._broken:
            self._broken = 'the last echoes have not come'
        return Life(self._sent, self._echoed, self._silence, self._broken)

    def _listen(self, until: float) -> None:
        while not self._broken and (left := until - time.monotonic()) > 0:
            if not select.select([self._link], [], [], left)[0]:
                return
            try:
                chunk = self._link.recv(65536)
            except OSError as exc:
                self._broken = str(exc)
                return
            self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        if not chunk:
            self._broken = 'the guest has closed it'
        elif not self._due.startswith(chunk):
            self._broken = 'what came back is not what was sent'
        else:
            del self._due[: len(chunk)]
            self._echoed += len(chunk)
            now = time.monotonic()
            self._silence = max(self._silence, now - self._heard)
            self._heard = now

    def _send(self, line: bytes) -> None:
        if self._broken:
            return
        try:
            self._link.sendall(line)
        except OSError as exc:
            self._broken = str(exc)
            return
        self._due += line
        self._sent += len(line)


class Watch:
    """What became of the connection; none until the block has ended."""

    life: Life | None = None


@contextlib.contextmanager
def running(
    setup: settings.Settings, folder: pathlib.Path, target: str
) -> collections.abc.Iterator[Watch]:
    """Keep a connection to a guest until the block ends.

    :raises shell.Failed: nothing tells what became of it
    """
    out = folder / 'stream.json'
    argv = [sys.executable, '-m', 'lab.observe.stream', '--target', target]
    argv += ['--source', setup.gateway, '--out', str(out)]
    watch = Watch()
    shell.spawn(setup, 'stream', shell.in_netns(setup, argv))
    try:
        yield watch
    finally:
        shell.stop(setup, 'stream', LINGER_SECONDS + 5)
    if not out.exists():
        raise shell.Failed(f'no TCP connection to {target}; see '
                           f'{setup.log}/stream.log')  # fmt: skip
    watch.life = Life(**json.loads(out.read_text()))


def connect(source: str, target: str) -> socket.socket:
    """Connect to the guest's echo, trying for a while.

    :raises OSError: it does not answer
    """
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return socket.create_connection(
                (target, ECHO), timeout=10, source_address=(source, 0)
            )
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description='Keep a TCP connection.')
    parser.add_argument('--target', required=True)
    parser.add_argument('--source', required=True)
    parser.add_argument('--out', required=True, type=pathlib.Path)
    parser.add_argument('--seconds', type=float, default=36000.0)
    options = parser.parse_args(arguments)
    with connect(options.source, options.target) as link:
        link.settimeout(None)
        stream = Stream(link)
        signal.signal(signal.SIGTERM, stream.stop)
        life = stream.run(options.seconds)
    options.out.write_text(json.dumps(dataclasses.asdict(life)) + '\n')


if __name__ == '__main__':
    main()
