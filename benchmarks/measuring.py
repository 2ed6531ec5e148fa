# SPDX-License-Identifier: Apache-2.0
"""Measure with the services that functional tests have, outside of a test."""

from collections.abc import Callable
import logging
import os
import sys
from typing import Any
from typing import TypeVar
import unittest

import rich.console

from nova_pt_migrate.tests import limit

Found = TypeVar('Found')
WIDE = 132
"""Columns of a table that is not shown on a terminal."""


class Failed(Exception):
    """It could not be measured; the text is what a test would show."""


def of(kind: type[Any], measure: Callable[[Any], Found]) -> Found:
    """Return what is measured with the services of a functional test.

    :param kind: its class
    :param measure: called with the test once it is set up
    :raises Failed: set-up, measuring or clean-up has failed
    """
    found: list[Found] = []

    class Measurement(kind):  # type: ignore[misc]
        def measure(self) -> None:
            found.append(measure(self))

    # That of tests is for tests, which are shorter.
    os.environ.setdefault(limit.VARIABLE, '0')
    logging.disable(logging.CRITICAL)
    try:
        result = unittest.TestResult()
        Measurement('measure').run(result)
    finally:
        logging.disable(logging.NOTSET)
    for _, trouble in result.errors + result.failures:
        raise Failed(str(trouble))
    return found[0]


def console() -> rich.console.Console:
    """Return where tables go, whole also in a file."""
    return rich.console.Console(width=None if sys.stdout.isatty() else WIDE)
