# SPDX-License-Identifier: Apache-2.0
"""See whether code does more than to look at its arguments and to answer.

Python tells of what leaves the process by its audit events (PEP 578, and the
table in the documentation of its library).
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import functools
import sys
import threading
import time
from typing import Any
from unittest import mock

ACTS = (
    '_thread.',
    'ctypes.',
    'open',
    'os.',
    'pty.',
    'shutil.',
    'signal.',
    'socket.',
    'subprocess.',
    'syslog.',
    'tempfile.',
    'time.sleep',
)
"""How the events begin that tell of an act, or of a wait."""
_here = threading.local()


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Give what is done in the context, by this thread.

    A module that is imported there is opened there, too.
    """
    _hook()
    _here.seen = seen = list[str]()
    try:
        with mock.patch.object(time, 'sleep', _sleeping(time.sleep)):
            yield seen
    finally:
        _here.seen = None


def _sleeping(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """Python before 3.13 does not tell of it."""

    def noting(seconds: float) -> None:
        _note('time.sleep', (seconds,))
        sleep(seconds)

    return noting


@functools.cache
def _hook() -> None:
    """Once, since nobody can take a hook away again."""
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    seen = getattr(_here, 'seen', None)
    if seen is not None and event.startswith(ACTS):
        seen.append(f'{event} {arguments[:1]}')
