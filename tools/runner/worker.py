# SPDX-License-Identifier: Apache-2.0
"""The program of a worker: run the tests that it is handed.

usage: python -m tools.runner.worker FOLDER STACKS

It reads groups of test names from its standard input, one JSON list a line,
and writes what comes of them to its standard output as a subunit stream.
Whatever tests print, and all that is logged, goes to its standard error. When
it is aborted, the stacks of all its threads are written to the open file whose
number is STACKS.
"""

import faulthandler
import io
import json
import os
import resource
import sys
from typing import TextIO
import unittest

from stestr.subunit_runner import program
from stestr.subunit_runner import run
import subunit

NAME = 'worker'
"""Of the file in the stream whose content is READY or FREE."""
READY = b'ready'
"""All tests have been named; a group may be handed."""
FREE = b'free'
"""A group has ended; the next may be handed."""


def streams() -> tuple[TextIO, io.FileIO]:
    """Take standard input and output away from what the tests start."""
    handed = os.fdopen(os.dup(0))
    events = io.FileIO(os.dup(1), 'w')
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return handed, events


def work(folder: str, handed: TextIO, events: io.FileIO) -> None:
    """Name all tests below a folder and run those that are handed.

    :raises SystemExit: if a module cannot be imported; the stream says why.
    """
    loader = unittest.TestLoader()
    suite = loader.discover(folder, top_level_dir='.')
    runner = run.SubunitTestRunner(stdout=events)
    runner.list(suite, loader)
    tests = {test.id(): test for test in program.iterate_tests(suite)}
    # Whoever has a test has all services that it had.
    del suite
    stream = subunit.StreamResultToBytes(events)
    stream.status(file_name=NAME, file_bytes=READY, eof=True)
    for line in handed:
        group = [tests.pop(name) for name in json.loads(line)]
        runner.run(unittest.TestSuite(group))
        stream.status(file_name=NAME, file_bytes=FREE, eof=True)


def main() -> None:
    """Run until the standard input ends."""
    folder, stacks = sys.argv[1:]
    faulthandler.enable(int(stacks), all_threads=True)
    os.set_inheritable(int(stacks), False)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    handed, events = streams()
    work(folder, handed, events)


if __name__ == '__main__':
    main()
