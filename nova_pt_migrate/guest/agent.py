# SPDX-License-Identifier: Apache-2.0
"""A client of the QEMU guest agent: bounded in time and size, never trusting.

The agent may be absent, may answer only what changes nothing (many
distributions block the rest), or may do all that is asked; what it can do is
asked first. libvirt synchronises with it before each command.
"""

import base64
from collections.abc import Callable
from collections.abc import Sequence
import enum
import json
from typing import Any

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.guest import replies

LONGEST_FILE = 64 * 1024
"""Bytes of a file that are read or written at the most."""
CHUNK = 16 * 1024
PAUSE = 0.2
"""Seconds between two questions whether a program has ended."""
READ_FILES = frozenset(
    {'guest-file-open', 'guest-file-read', 'guest-file-close'}
)
WRITE_FILES = READ_FILES | {'guest-file-write'}
RUN = frozenset({'guest-exec', 'guest-exec-status'})
LIST = 'guest-network-get-interfaces'


class Degree(enum.Enum):
    """How much the agent does for us."""

    ABSENT = 'absent'
    """It does not answer."""

    READ_ONLY = 'read-only'
    """It tells the interfaces, and neither reads files nor runs programs."""

    FULL = 'full'
    """It reads and writes files and runs programs."""


class Agent:
    """The agent of one guest, for one look.

    :param channel: the way to it
    :param clock: monotonic seconds
    :param seconds: after which nothing more is asked in this look
    :param pause: waits for so many seconds
    """

    def __init__(
        self,
        channel: interfaces.AgentChannel,
        clock: Callable[[], float],
        seconds: float,
        pause: Callable[[float], object],
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._deadline = clock() + seconds
        self._pause = pause
        self._commands: frozenset[str] | None = None

    def degree(self) -> Degree:
        """Tell how much it does; raises nothing."""
        try:
            enabled = self.commands()
        except errors.GuestError:
            return Degree.ABSENT
        if enabled >= WRITE_FILES | RUN:
            return Degree.FULL
        return Degree.READ_ONLY if LIST in enabled else Degree.ABSENT

    def commands(self) -> frozenset[str]:
        """Return the commands that it takes; asked once.

        :raises errors.GuestError: it is absent, or its answer is none
        """
        if self._commands is None:
            self._commands = replies.commands(self._ask('guest-info'))
        return self._commands

    def interfaces(self) -> tuple[replies.Interface, ...]:
        """Return the interfaces of the guest.

        :raises errors.GuestError: the agent is absent or does not tell them
            in time, or its answer is none
        """
        return replies.interfaces(self._ask(LIST))

    def read(self, path: str) -> str:
        """Return the text of a file of the guest; undecodable bytes escaped.

        :param path: ours, never the guest's
        :raises errors.NoSuchFile: the guest has none of that name
        :raises errors.GuestError: the agent does not read files or does not
            answer in time, or the file is too long
        """
        opened = replies.handle(
            self._ask('guest-file-open', path=path, mode='r')
        )
        data = b''
        try:
            while len(data) <= LONGEST_FILE:
                part, end = replies.content(
                    self._ask('guest-file-read', handle=opened, count=CHUNK)
                )
                data += part
                if end or not part:
                    return data.decode(errors='backslashreplace')
        finally:
            self._ask('guest-file-close', handle=opened)
        raise errors.GuestError(f'{path} is too long in the guest')

    def write(self, path: str, content: str) -> None:
        """Write a file of the guest anew.

        :param path: ours
        :raises ValueError: the content is too long; nothing was written
        :raises errors.GuestError: the agent does not write files or does not
            answer in time; it may have been written in part
        """
        data = content.encode()
        if len(data) > LONGEST_FILE:
            raise ValueError(f'{path} would be too long')
        opened = replies.handle(
            self._ask('guest-file-open', path=path, mode='w')
        )
        try:
            count = replies.written(
                self._ask(
                    'guest-file-write',
                    handle=opened,
                    **{'buf-b64': base64.b64encode(data).decode()},
                )
            )
        finally:
            self._ask('guest-file-close', handle=opened)
        if count != len(data):
            raise errors.GuestError(f'{path} was not written whole')

    def run(self, argv: Sequence[str]) -> replies.Finished:
        """Run a program of the guest, never through a shell.

        :param argv: ours, beginning with the path of the program
        :raises errors.GuestError: the agent does not run programs or does not
            answer in time, or the program has not ended in time and may
            still run
        """
        program, *arguments = argv
        pid = replies.process(
            self._ask(
                'guest-exec',
                path=program,
                arg=arguments,
                **{'capture-output': True},
            )
        )
        while True:
            ended = replies.finished(self._ask('guest-exec-status', pid=pid))
            if ended is not None:
                return ended
            self._pause(PAUSE)

    def _ask(self, command: str, **arguments: Any) -> Any:
        left = self._deadline - self._clock()
        if left <= 0:
            raise errors.GuestError(
                f'there is no time left to ask the guest agent for {command}'
            )
        if command != 'guest-info' and command not in self.commands():
            raise errors.GuestError(f'the guest agent does not do {command}')
        words: dict[str, Any] = {'execute': command}
        if arguments:
            words['arguments'] = arguments
        return replies.returned(
            self._channel.ask(json.dumps(words), max(1, round(left)))
        )
