# SPDX-License-Identifier: Apache-2.0
"""Which tests a worker is given next, and how long the rest will take."""

import collections
from collections.abc import Mapping
from collections.abc import Sequence

LONGEST = 30.0
"""Seconds that a group is expected to take at most, unless it is one test."""
SHARES = 8
"""Groups that there are at least for each worker where there are enough
tests, so that no worker is left alone with a long one at the end."""
LEAST = 0.005
"""Seconds that a test takes with what is told of it; the record has less."""
MANY = 20
"""Tests that are too many to name each."""


def expected(
    tests: Sequence[str], times: Mapping[str, float], guess: float
) -> dict[str, float]:
    """Return the seconds that each test is expected to take.

    :param times: the seconds recorded of earlier runs.
    :param guess: the seconds of a test of which there is no record, where
        there is no record of any; otherwise their mean is taken.
    """
    known = [times[test] for test in tests if test in times]
    other = sum(known) / len(known) if known else guess
    return {test: max(LEAST, times.get(test, other)) for test in tests}


def groups(seconds: Mapping[str, float], workers: int) -> list[list[str]]:
    """Return the tests in groups to hand out one by one, slowest first.

    A group is of one class, whose fixture is then set up for few groups.

    :param seconds: what each test is expected to take, in the order in which
        tests of equal groups are to run.
    """
    most = min(LONGEST, sum(seconds.values()) / (SHARES * workers))
    classes: dict[str, list[str]] = {}
    for test in seconds:
        classes.setdefault(class_of(test), []).append(test)
    made = [
        group
        for tests in classes.values()
        for group in _split(tests, seconds, most)
    ]
    return sorted(made, key=lambda group: -_sum(group, seconds))


def class_of(test: str) -> str:
    """Return the name of a test's class; a scenario's name may have dots."""
    return test.partition('(')[0].rpartition('.')[0]


def named(tests: Sequence[str]) -> list[str]:
    """Return lines that name tests, by their classes if they are many."""
    if len(tests) <= MANY:
        return list(tests)
    classes = collections.Counter(class_of(test) for test in tests)
    return [f'{count} of {name}' for name, count in classes.items()]


def left(
    total: float,
    waiting: float,
    running: Sequence[float],
    gone: float,
    workers: int,
) -> float:
    """Return the seconds until all tests will have ended.

    It goes on as fast, or as slow, as it went until now.

    :param total: the expected seconds of all tests.
    :param waiting: those of what no worker has been given.
    :param running: those that each worker has still before it.
    :param gone: the seconds since the first test was given.
    """
    rest = waiting + sum(running)
    done = total - rest
    pace = gone * workers / done if done > 0 else 1.0
    return pace * max([rest / workers, *running])


def _split(
    tests: Sequence[str], seconds: Mapping[str, float], most: float
) -> list[list[str]]:
    made: list[list[str]] = []
    for test in tests:
        if made and _sum([*made[-1], test], seconds) <= most:
            made[-1].append(test)
        else:
            made.append([test])
    return made


def _sum(tests: Sequence[str], seconds: Mapping[str, float]) -> float:
    return sum(seconds[test] for test in tests)
