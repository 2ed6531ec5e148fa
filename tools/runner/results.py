# SPDX-License-Identifier: Apache-2.0
"""How tests ended, and what is counted of them."""

from collections.abc import Mapping
import dataclasses
from typing import Any

REASON = 300
"""Characters that are shown of the last line of a failure."""
LOGS = ('pythonlogging', 'stdout', 'stderr')
"""What the names of details begin with that hold what a test logged."""


@dataclasses.dataclass(frozen=True)
class Result:
    """How one test ended.

    :ivar status: as in a subunit stream: success, xfail, skip, fail, ...
    :ivar details: the texts that the test left, by their names.
    """

    test: str
    status: str
    seconds: float
    details: Mapping[str, str]

    @property
    def passed(self) -> bool:
        return self.status in ('success', 'xfail')

    @property
    def skipped(self) -> bool:
        return self.status == 'skip'

    @property
    def failed(self) -> bool:
        """An unexpected success is one, and what never ended."""
        return not self.passed and not self.skipped

    @property
    def log(self) -> str:
        return _joined(self.details, True)

    @property
    def output(self) -> str:
        """What is not log: tracebacks, reasons, what was captured."""
        return _joined(self.details, False)

    @property
    def reason(self) -> str:
        """The last line of it, as a traceback ends with what was raised."""
        lines = self.details.get('traceback', self.output).strip().splitlines()
        return lines[-1].strip()[:REASON] if lines else 'nothing was said'


def _joined(details: Mapping[str, str], log: bool) -> str:
    """Return the texts, with their names where there are several."""
    texts = {
        name: text.strip('\n')
        for name, text in sorted(details.items())
        if name.startswith(LOGS) is log and text.strip()
    }
    if len(texts) == 1:
        return ''.join(texts.values())
    return '\n\n'.join(f'{name}:\n{text}' for name, text in texts.items())


def read(test: Mapping[str, Any]) -> Result:
    """Return the result that a dictionary of testtools' StreamToDict holds."""
    start, stop = test['timestamps']
    known = start is not None and stop is not None
    return Result(
        test['id'],
        test['status'],
        (stop - start).total_seconds() if known else 0.0,
        {
            name: content.as_text()
            for name, content in test['details'].items()
            if content.content_type.type == 'text'
        },
    )


@dataclasses.dataclass
class Tally:
    """All that came of one suite.

    :ivar problems: what failed that is no test.
    :ivar not_run: the tests that were to run and have not.
    :ivar stopped: it was ended from outside.
    """

    results: list[Result] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)
    not_run: list[str] = dataclasses.field(default_factory=list)
    stopped: bool = False

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def skipped(self) -> int:
        return sum(result.skipped for result in self.results)

    @property
    def failed(self) -> int:
        """A test that has not run is one, and a problem."""
        failures = sum(result.failed for result in self.results)
        return failures + len(self.problems) + len(self.not_run)

    def slowest(self, count: int) -> list[Result]:
        ordered = sorted(self.results, key=lambda result: -result.seconds)
        return ordered[:count]


def closing(tallies: list[Tally]) -> str:
    """Return the last line, which is read by programs, too."""
    passed = sum(tally.passed for tally in tallies)
    failed = sum(tally.failed for tally in tallies)
    skipped = sum(tally.skipped for tally in tallies)
    return f'tests: {passed} passed, {failed} failed, {skipped} skipped'
