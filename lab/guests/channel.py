# SPDX-License-Identifier: Apache-2.0
"""The way to a guest's agent without libvirt: the socket of its channel.

It does what libvirt does: before each command it synchronises with the agent,
so that what an earlier command left unanswered is passed over.
"""

import json
import pathlib
import secrets
import socket
import time

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text

MARK = b'\xff'
"""What the agent sends before it answers guest-sync-delimited."""
ABSENT = 'No such file or directory'
MOST = 10 * 1024 * 1024


class SocketChannel:
    """Provides :class:`nova_pt_migrate.core.interfaces.AgentChannel`.

    :param path: of the socket
    :ivar asked: the names of the commands, in order
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._rest = b''
        self.asked: list[str] = []

    def ask(self, command: str, seconds: int) -> str:
        """Send a command and return its reply, both JSON."""
        deadline = time.monotonic() + seconds
        self.asked.append(json.loads(command)['execute'])
        try:
            connected = self._connected()
            self._synchronise(connected, deadline)
            connected.sendall(command.encode() + b'\n')
            reply = self._line(connected, deadline).decode(errors='replace')
        except OSError as exc:
            self.close()
            raise errors.GuestError(f'no answer of the agent: {exc}') from exc
        if '"error"' in reply and ABSENT in reply:
            raise errors.NoSuchFile(text.shown(reply))
        return reply

    def close(self) -> None:
        """End the connection; the next command makes another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._rest = b''

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(5)
            self._socket.connect(str(self._path))
        return self._socket

    def _synchronise(self, connected: socket.socket, deadline: float) -> None:
        number = secrets.randbelow(2**31)
        sync = {'execute': 'guest-sync-delimited', 'arguments': {'id': number}}
        # The mark also ends whatever the agent has read in part.
        connected.sendall(MARK + json.dumps(sync).encode() + b'\n')
        while True:
            line = self._line(connected, deadline).rpartition(MARK)[2]
            try:
                if json.loads(line) == {'return': number}:
                    return
            except ValueError:
                continue

    def _line(self, connected: socket.socket, deadline: float) -> bytes:
        while b'\n' not in self._rest:
            connected.settimeout(max(deadline - time.monotonic(), 0.01))
            part = connected.recv(65536)
            if not part:
                raise ConnectionError('the connection has ended')
            self._rest += part
            if len(self._rest) > MOST:
                raise ConnectionError('the answer is too long')
        line, _, self._rest = self._rest.partition(b'\n')
        return line
