# SPDX-License-Identifier: Apache-2.0
"""No test of ours lasts for ever, whoever runs it; those in the lab excepted.

A test that is over its limit fails, with the stacks of all threads, and so do
its clean-ups one after the other if they hang; then the next test runs. A
process whose main thread cannot be interrupted ends, with the stacks.
"""

from collections.abc import Iterator
import contextlib
import faulthandler
import os
import signal
import tempfile
import threading
from types import FrameType
from typing import Any
import unittest

import testtools
from testtools import content

VARIABLE = 'OS_TEST_TIMEOUT'
"""Seconds that a test may take, its clean-ups included; 0 for no limit."""
DEFAULT = 300
"""Without the variable; ten times what the longest test takes alone."""
AGAIN = 20.0
"""Seconds after which what hangs in a clean-up is interrupted as well."""
ENOUGH = 120.0
"""Seconds over the limit after which the process ends."""

_IMPOSED = 'is_limited'
STDERR = 2
"""The real one; tests may have put something else in its place."""


class TookTooLong(BaseException):
    """The test is over its limit; not an Exception, so that it ends."""


def seconds() -> int:
    """Return the limit; what is no number is as if nothing was given."""
    given = os.environ.get(VARIABLE, '')
    return int(given) if given.isdecimal() else DEFAULT


def stacks() -> str:
    """Return the stacks of all threads."""
    with tempfile.TemporaryFile('w+') as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()


@contextlib.contextmanager
def limited(test: unittest.TestCase, limit: float) -> Iterator[None]:
    """Let the test in the context, in the main thread, take so long.

    :raises TookTooLong: in the middle of it
    """
    if (
        not limit
        or threading.current_thread() is not threading.main_thread()
        or signal.getitimer(signal.ITIMER_REAL)[0]
    ):
        # A test within a test has the limit of the outer one.
        yield
        return

    def strike(_signal: int, _frame: FrameType | None) -> None:
        words = f'{test.id()} took longer than {limit:g} s ({VARIABLE})'
        found = stacks()
        if isinstance(test, testtools.TestCase):
            test.addDetailUniqueName('stacks', content.text_content(found))
        os.write(STDERR, f'{words}\n{found}'.encode())
        raise TookTooLong(words)

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, limit, AGAIN)
    faulthandler.dump_traceback_later(limit + ENOUGH, exit=True, file=STDERR)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


def impose() -> None:
    """Have every test of this process run within its limit."""
    for case in (unittest.TestCase, testtools.TestCase):
        if not hasattr(case.run, _IMPOSED):
            case.run = _limiting(case.run)  # type: ignore[method-assign]


def _limiting(run: Any) -> Any:
    def running(test: Any, result: Any = None) -> Any:
        try:
            with limited(test, seconds()):
                return run(test, result)
        except TookTooLong:
            # Testtools has reported it, and would have us stop here.
            return result

    setattr(running, _IMPOSED, True)
    return running
