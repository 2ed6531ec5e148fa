# SPDX-License-Identifier: Apache-2.0
"""The worker processes, seen from the one that hands out the tests."""

from collections.abc import Mapping
import contextlib
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any
from typing import BinaryIO

import subunit

DUMPING = 10.0
"""Seconds that a worker has to write the stacks of its threads."""


class Worker:
    """A process that runs tests, and what it was seen to do.

    :ivar tests: all that it can run.
    :ivar group: those that it was handed and that have not ended.
    :ivar current: the one that it runs, or ''.
    :ivar ready: it has named all tests.
    :ivar heard: when it was last heard of, on the monotonic clock.
    :ivar why: what was done to end it before its time.
    """

    def __init__(
        self,
        number: int,
        top: pathlib.Path,
        folder: str,
        environment: Mapping[str, str],
        log: BinaryIO,
        events: 'queue.Queue[Event]',
    ) -> None:
        self.number = number
        self.tests: list[str] = []
        self.group: list[str] = []
        self.current = ''
        self.ready = False
        self.heard = time.monotonic()
        self.why = ''
        self._told_to_end = False
        self._passed_over = 'fail'
        self._stacks = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'tools.runner.worker', folder,
             str(self._stacks.fileno())],
            cwd=top,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            pass_fds=[self._stacks.fileno()],
        )  # fmt: skip
        self._reader = threading.Thread(
            target=self._read, args=[events], daemon=True
        )
        self._reader.start()

    def _read(self, events: 'queue.Queue[Event]') -> None:
        listener = _Listener(self, events)
        stream = subunit.ByteStreamToStreamResult(self.process.stdout, NOISE)
        stream.run(listener)
        self.process.wait()
        events.put((self, None))

    def hand(self, group: list[str]) -> None:
        """Hand over a group, or tell it to end if there is none.

        A worker that has died is not told: its end is an event of its own.
        """
        assert self.process.stdin is not None
        self.group = list(group)
        self._passed_over = 'fail'
        self.heard = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            if group:
                self.process.stdin.write(json.dumps(group).encode() + b'\n')
                self.process.stdin.flush()
            else:
                self._told_to_end = True
                self.process.stdin.close()

    def follow(self, test: str, status: str | None) -> None:
        """Take in what the stream says of one test, or of its class."""
        if status == 'inprogress':
            self.current = test
        elif status is not None:
            self.current = ''
            if test in self.group:
                self.group.remove(test)
            else:
                self._passed_over = status

    def passed_over(self) -> str:
        """Return the status of those of the group that were not run.

        It is the one of their class's fixture.
        """
        return self._passed_over

    def before_it(self, seconds: Mapping[str, float]) -> float:
        """Return the expected seconds of what it has still to do."""
        expected = sum(seconds[test] for test in self.group)
        return max(0.0, expected - self.silence())

    def silence(self) -> float:
        """Return the seconds since something was heard of it."""
        return time.monotonic() - self.heard

    def ended_well(self) -> bool:
        """Return whether it did all that it was told and ended by itself."""
        return self._told_to_end and not self.process.wait() and not self.group

    def abort(self, why: str) -> None:
        """End it and all that it has started; the stacks are kept."""
        self.why = why
        self.process.send_signal(signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(DUMPING)
        self.kill()

    def kill(self) -> None:
        """End it and all that it has started, at once."""
        end_group(self.process)

    def stacks(self) -> str:
        """Return the stacks of all its threads where it was made to end."""
        self._stacks.seek(0)
        said = self._stacks.read().decode(errors='replace')
        return said.partition('\nExtension modules:')[0]

    def end(self) -> str:
        """Return in words how its process ended."""
        status = self.process.wait()
        if status >= 0:
            return f'ended with status {status}'
        return f'was ended by {signal.Signals(-status).name}'


Event = tuple[Worker, dict[str, Any] | None]
"""What a worker said, as arguments of a stream result's status; None: it has
ended, and will say no more."""
NOISE = 'noise'
"""The name of what is in the stream and no part of it."""


class _Listener:
    def __init__(self, worker: Worker, events: 'queue.Queue[Event]') -> None:
        self._worker = worker
        self._events = events

    def status(self, **said: Any) -> None:
        if said.get('file_bytes') is not None:
            said['file_bytes'] = bytes(said['file_bytes'])
        self._events.put((self._worker, said))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads its session, and the others of its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
