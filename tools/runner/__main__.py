# SPDX-License-Identifier: Apache-2.0
"""Run the parts that tools/test names, and sum up.

usage: python -m tools.runner OPTIONS, a JSON object as tools/test makes it
"""

import collections
import dataclasses
import json
import math
import signal
import sys
import time
from typing import Any

from stestr import scheduler

from tools.runner import checks
from tools.runner import environment
from tools.runner import results
from tools.runner import screen
from tools.runner import sharing
from tools.runner import suite

LOG = environment.ROOT / 'test.log'
GUESSES = {'unit': 0.05, 'functional': 5.0}
"""Seconds of a test of each suite where nothing is recorded."""
GRACE = 100.0
"""Seconds that a test and its clean-ups have, after its limit, to fail by
themselves."""
SLOWEST = 10
SLOW = 0.1
"""Seconds of a test that is worth to be named."""
STOPPED = 130
"""The exit status then, as a shell's."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What tools/test was told.

    :ivar patterns: regular expressions; a test whose name has one is run.
    :ivar begun: when tools/test began, on the monotonic clock.
    :ivar limit: seconds from then that all may take.
    :ivar test_limit: seconds that one test may take; 0: it has no limit.
    :ivar workers: how many processes run tests; 0: one for each processor.
    """

    parts: list[str]
    patterns: list[str]
    begun: float
    limit: float
    test_limit: float
    workers: int

    @property
    def deadline(self) -> float:
        return self.begun + self.limit


@dataclasses.dataclass(frozen=True)
class Part:
    """How a part ended; only a suite has a tally."""

    name: str
    passed: bool
    seconds: float
    tally: results.Tally | None = None
    stopped: bool = False

    def row(self) -> list[str]:
        word = 'passed' if self.passed else 'FAILED'
        word = 'stopped' if self.stopped else word
        counts = ['', '', '']
        if self.tally:
            found = self.tally
            counts = [str(found.passed), str(found.failed), str(found.skipped)]
        return [self.name, word, *counts, f'{self.seconds:.1f}']


def job(name: str, options: Options) -> suite.Job:
    """Return what a suite is to do."""
    return suite.Job(
        top=environment.ROOT,
        folder=f'./nova_pt_migrate/tests/{name}',
        environment=environment.of_tests(name, options.test_limit),
        patterns=options.patterns,
        workers=options.workers or scheduler.local_concurrency(),
        deadline=options.deadline,
        silence=options.test_limit + GRACE if options.test_limit else math.inf,
        guess=GUESSES[name],
    )


def run(name: str, options: Options, show: screen.Screen) -> Part:
    """Run one part."""
    begin = time.monotonic()
    tally = None
    with show.part(name):
        if name in GUESSES:
            tally = suite.Suite(job(name, options), show).run()
            passed = tally.failed == 0
        else:
            passed = checks.run(name, options.deadline, show)
    if tally:
        tell(tally, show)
    stopped = tally.stopped if tally else False
    return Part(name, passed, time.monotonic() - begin, tally, stopped)


def tell(tally: results.Tally, show: screen.Screen) -> None:
    """Show what has failed, what was skipped and why, and what is slow."""
    failed = [result for result in tally.results if result.failed]
    if failed:
        show.say(f'{len(failed)} tests have failed:', 'red')
    for result in failed:
        show.say(f'{result.test}: {result.reason}')
    if tally.not_run:
        show.say(f'{len(tally.not_run)} tests have not run:', 'red')
        show.say('\n'.join(sharing.named(tally.not_run)))
        show.log('\n'.join(tally.not_run))
    reasons = collections.Counter(
        result.output for result in tally.results if result.skipped
    )
    for reason, count in sorted(reasons.items()):
        show.say(f'{count} skipped: {reason}')
    slowest = [
        [f'{result.seconds:.1f}', result.test]
        for result in tally.slowest(SLOWEST)
        if result.seconds >= SLOW
    ]
    if slowest:
        show.table(['seconds', 'slowest'], slowest)


def sum_up(parts: list[Part], options: Options, show: screen.Screen) -> None:
    """Show how each part ended; the last line counts the tests."""
    show.say('\n== summary', 'bold')
    show.table(
        ['part', 'result', 'passed', 'failed', 'skipped', 'seconds'],
        [part.row() for part in parts],
    )
    gone = time.monotonic() - options.begun
    show.say(
        f'{screen.clock(gone)} of at most {screen.clock(options.limit)}; '
        f'all of it, with what was logged, is in {show.path}'
    )
    tallies = [part.tally for part in parts if part.tally]
    if tallies:
        show.say(results.closing(tallies))


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run all parts; 0 if all have passed."""
    options = Options(**json.loads(sys.argv[1]))
    signal.signal(signal.SIGTERM, _stop)
    show = screen.Screen(LOG)
    prepared = time.monotonic() - options.begun
    parts = [Part('preparing', True, prepared)]
    try:
        for name in options.parts:
            parts.append(run(name, options, show))
            if parts[-1].stopped:
                break
    except KeyboardInterrupt:
        parts.append(Part(name, False, 0.0, stopped=True))
    sum_up(parts, options, show)
    if parts[-1].stopped:
        return STOPPED
    return 0 if all(part.passed for part in parts) else 1


if __name__ == '__main__':
    sys.exit(main())
