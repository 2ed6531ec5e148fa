# SPDX-License-Identifier: Apache-2.0
"""How a server may end after a fault, and how it did. Pure."""

import dataclasses
import json

from lab.judge import record
from lab.judge import verdict


@dataclasses.dataclass(frozen=True)
class End:
    """How a server may end.

    :ivar moved: on the destination; else it stayed
    :ivar migration: states of its migration
    """

    moved: bool
    migration: tuple[str, ...]

    def __str__(self) -> str:
        where = 'destination' if self.moved else 'source'
        return f'{where}, {"/".join(self.migration)}'


STAYED = End(False, ('failed',))
REFUSED = End(False, ('error',))
CANCELLED = End(False, ('cancelled',))
MOVED = End(True, ('completed',))

Checks = tuple[record.Check, ...]


def judge(
    found: verdict.Facts,
    source: str,
    destination: str,
    end: End,
    seen_by_guest: bool = True,
    degraded: bool = False,
) -> Checks:
    """Give the checks of one end for a migration between two hosts."""
    here, there = (destination, source) if end.moved else (source, destination)
    return verdict.judge(
        found, there, here, end.migration, seen_by_guest, degraded
    )


def best(
    found: verdict.Facts,
    source: str,
    destination: str,
    allowed: tuple[End, ...],
    seen_by_guest: bool = True,
) -> tuple[End | None, Checks]:
    """Give the end in which a server is whole, and the checks of it.

    Without one these are the checks of the allowed end on the host that the
    server is on, or of the first.
    """
    judged = [
        (end, judge(found, source, destination, end, seen_by_guest))
        for end in allowed
    ]
    for end, checks in judged:
        if all(check.passed for check in checks):
            return end, checks
    moved = found.host == destination
    near = [checks for end, checks in judged if end.moved == moved]
    return None, (near or [judged[0][1]])[0]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a fault.

    :ivar end: the allowed end that was seen, if any
    :ivar place: where and how the server really was
    :ivar seen: checks of the fault itself, on its way
    """

    name: str
    end: End | None
    allowed: tuple[End, ...]
    place: str
    move: record.Move
    seen: Checks = ()

    @property
    def passed(self) -> bool:
        return self.end is not None and self.move.passed

    def line(self) -> str:
        """Return one line for people, and one for each check that failed."""
        wrong = [f'{c.what}: {c.seen}' for c in self.move.checks]
        failed = [
            text
            for text, check in zip(wrong, self.move.checks, strict=True)
            if not check.passed
        ]
        return (
            f'{self.name}: {"passed" if self.passed else "FAILED"}; '
            f'ended {self.end or self.place}; allowed '
            f'{" or ".join(map(str, self.allowed))}; '
            f'{self.move.seconds:.0f} s, load {self.move.load[1]:.1f}'
            + ''.join(f'\n    {text}' for text in failed)
        )


def to_json(outcomes: list[Outcome]) -> str:
    """Give the figures of all as JSON; each has its own run besides."""
    return json.dumps(
        [
            {
                'fault': outcome.name,
                'passed': outcome.passed,
                'ended': str(outcome.end or outcome.place),
                'allowed': [str(end) for end in outcome.allowed],
                'seconds': round(outcome.move.seconds, 1),
                'load': outcome.move.load[1],
                'seen': {check.what: check.seen for check in outcome.seen},
            }
            for outcome in outcomes
        ],
        indent=1,
    )
