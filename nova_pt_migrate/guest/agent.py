# SPDX-License-Identifier: Apache-2.0
"""A client of the QEMU guest agent: bounded in time and size, never trusting.

The agent may be absent, may answer only what changes nothing (many
distributions block the rest), or may do all that is asked; what it offers is
asked first. It may offer what the guest denies it: SELinux keeps it from most
files and programs. libvirt synchronises with it before each command.
"""

import base64
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
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
LOOPBACK = '/sys/class/net/lo/operstate'
"""A file of the kernel's that every guest has."""


class Degree(enum.Enum):
    """How much the agent offers to do for us."""

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
        """Tell how much it offers; raises nothing."""
        try:
            enabled = self.commands()
        except errors.GuestError:
            return Degree.ABSENT
        if LIST not in enabled:
            return Degree.ABSENT
        if enabled >= WRITE_FILES | RUN:
            return Degree.FULL
        return Degree.READ_ONLY

    def commands(self) -> frozenset[str]:
        """Return the commands that it takes; asked once.

        :raises errors.GuestError: it is absent, or its answer is none
        """
        if self._commands is None:
            self._commands = replies.commands(self._ask('guest-info'))
        return self._commands

    def interfaces(self) -> tuple[replies.Interface, ...]:
        """Return the interfaces of the guest.

        :raises errors.Denied: the agent may not tell them
        :raises errors.GuestError: the agent is absent or does not tell them
            in time, or its answer is none
        """
        with _saying(f'tell the interfaces ({LIST})'):
            listed = self._ask(LIST)
        return replies.interfaces(listed)

    def find(self, path: str, sure: str) -> str | None:
        """Return the text of a file of the guest that need not be there.

        Why one is not read the agent says in the guest's language. So it is
        compared with one that every guest has.

        :param path: ours, never the guest's
        :param sure: the other one
        :returns: None if the guest has none of that name
        :raises errors.Denied: the agent does not read there
        :raises errors.GuestError: as :meth:`read`
        """
        try:
            return self.read(path)
        except errors.NoSuchFile:
            return None
        except errors.Denied as denial:
            try:
                self.read(sure)
            except errors.GuestError:
                raise denial from None
            return None

    def read(self, path: str) -> str:
        """Return the text of a file of the guest; undecodable bytes escaped.

        :param path: ours, never the guest's
        :raises errors.NoSuchFile: the guest has none of that name
        :raises errors.Denied: the agent does not read it
        :raises errors.GuestError: the agent does not answer in time, or the
            file is too long
        """
        opened = self._open(path, 'r')
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
        :raises errors.Denied: the agent does not write it; it is as it was
        :raises errors.GuestError: the guest does not take the content, or
            the agent does not answer in time; it may have been written in
            part
        """
        data = content.encode()
        if len(data) > LONGEST_FILE:
            raise ValueError(f'{path} would be too long')
        self._offers('guest-file-write')
        opened = self._open(path, 'w')
        try:
            count = self._put(opened, data)
        except errors.Denied as exc:
            raise errors.GuestError(f'{path} was not written: {exc}') from exc
        if count != len(data):
            raise errors.GuestError(f'{path} was not written whole')

    def check_write(self, path: str) -> None:
        """See that a file that is there may be written; it stays as it is.

        :param path: ours
        :raises errors.Denied: the agent does not write it
        :raises errors.GuestError: the agent does not answer in time
        """
        self._offers('guest-file-write')
        # Neither makes the file nor empties it, as "w" does.
        opened = self._open(path, 'r+')
        self._ask('guest-file-close', handle=opened)

    def run(self, argv: Sequence[str]) -> replies.Finished:
        """Run a program of the guest, never through a shell.

        :param argv: ours, beginning with the path of the program
        :raises errors.Denied: the agent does not run it
        :raises errors.GuestError: the agent does not answer in time, or the
            program has not ended in time and may still run
        """
        program, *arguments = argv
        with _saying(f'run {program}'):
            started = self._ask(
                'guest-exec',
                path=program,
                arg=arguments,
                **{'capture-output': True},
            )
        pid = replies.process(started)
        while True:
            ended = replies.finished(self._ask('guest-exec-status', pid=pid))
            if ended is not None:
                return ended
            self._pause(PAUSE)

    def _open(self, path: str, mode: str) -> int:
        with _saying(f'{"read" if mode == "r" else "write"} {path}'):
            opened = self._ask('guest-file-open', path=path, mode=mode)
        return replies.handle(opened)

    def _put(self, opened: int, data: bytes) -> int:
        """Write an open file and close it; return how many bytes it took."""
        words = {'buf-b64': base64.b64encode(data).decode()}
        try:
            return replies.written(
                self._ask('guest-file-write', handle=opened, **words)
            )
        finally:
            self._ask('guest-file-close', handle=opened)

    def _offers(self, command: str) -> None:
        if command not in self.commands():
            raise errors.Denied(f'the guest agent does not do {command}')

    def _ask(self, command: str, **arguments: Any) -> Any:
        left = self._deadline - self._clock()
        if left <= 0:
            raise errors.GuestError(
                f'there is no time left to ask the guest agent for {command}'
            )
        if command != 'guest-info':
            self._offers(command)
        words: dict[str, Any] = {'execute': command}
        if arguments:
            words['arguments'] = arguments
        return replies.returned(
            self._channel.ask(json.dumps(words), max(1, round(left)))
        )


@contextlib.contextmanager
def _saying(what: str) -> Iterator[None]:
    """Name in a denial what the agent was asked for."""
    try:
        yield
    except errors.Denied as exc:
        raise errors.Denied(f'the guest agent may not {what}: {exc}') from exc
