# SPDX-License-Identifier: Apache-2.0
"""QEMU's monitor: plug, unplug, and wait for what QEMU says of it."""

from collections.abc import Callable
import json
import pathlib
import socket
import time
from typing import Any

from lab import shell

Event = dict[str, Any]


class Monitor:
    """A connection to the monitor of one QEMU.

    :param path: of its socket
    """

    def __init__(self, path: pathlib.Path, seconds: float = 10.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(seconds)
        self._socket.connect(str(path))
        self._rest = b''
        self._events: list[Event] = []
        self._message(time.monotonic() + seconds)
        self.run('qmp_capabilities', {})

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def run(
        self, command: str, words: dict[str, Any], seconds: float = 30.0
    ) -> Any:
        """Let QEMU do a command.

        :raises shell.Failed: it says that it cannot, or nothing in time
        """
        sent = {'execute': command, 'arguments': words}
        self._socket.sendall(json.dumps(sent).encode() + b'\n')
        deadline = time.monotonic() + seconds
        while True:
            found = self._message(deadline)
            if 'event' in found:
                self._events.append(found)
            elif 'error' in found:
                raise shell.Failed(f'QEMU: {found["error"]["desc"]}')
            elif 'return' in found:
                return found['return']

    def wait(
        self, what: str, is_it: Callable[[Event], bool], seconds: float
    ) -> Event:
        """Wait for an event; those before it are dropped.

        :raises shell.Failed: naming what did not come
        """
        deadline = time.monotonic() + seconds
        while True:
            while self._events:
                event = self._events.pop(0)
                if is_it(event):
                    return event
            try:
                found = self._message(deadline)
            except shell.Failed as exc:
                raise shell.Failed(f'{what}: not in {seconds:g} s') from exc
            if 'event' in found:
                self._events.append(found)

    def _message(self, deadline: float) -> dict[str, Any]:
        while b'\n' not in self._rest:
            left = deadline - time.monotonic()
            self._socket.settimeout(max(left, 0.01))
            try:
                part = self._socket.recv(65536)
            except TimeoutError as exc:
                raise shell.Failed('QEMU does not answer') from exc
            if not part:
                raise shell.Failed('QEMU has ended')
            self._rest += part
        line, _, self._rest = self._rest.partition(b'\n')
        found: dict[str, Any] = json.loads(line)
        return found
