# SPDX-License-Identifier: Apache-2.0
"""Which host had a server's address at what time, by one clock.

Two hosts that take the frames for one address share them by chance, and a
frame that leaves the wrong one turns every switch on the way to it.
"""

import collections.abc
import dataclasses
import enum

from lab.judge import record


class Kind(enum.Enum):
    """What was seen of an address."""

    SENT = 'a frame from it left'
    LEARNED = 'the switch learned it at'
    OPENED = 'it was let in by a filter of'
    CLOSED = 'it was shut out by a filter of'


@dataclasses.dataclass(frozen=True)
class Sight:
    """One of them, at one host.

    :ivar error: seconds by which the time may be wrong
    """

    time: float
    host: str
    kind: Kind
    error: float = 0.0

    def said(self, since: float) -> str:
        """Say what was seen, and when, counted from some time."""
        return (
            f'{self.time - since:+.3f} s (within {self.error:.3f}): '
            f'{self.kind.value} {self.host}'
        )


@dataclasses.dataclass(frozen=True)
class Found:
    """What was seen of the address in one migration.

    :ivar first: seconds from when the guest ran at the destination to its
        first frame there; None if there was no such frame
    :ivar seen: so many sights were looked at
    :ivar wrong: what was seen where and when it must not be, with times
        counted from when the guest ran at the destination
    """

    first: float | None
    seen: int
    wrong: tuple[str, ...]


def judge(
    sights: collections.abc.Iterable[Sight],
    move: record.Move,
    stopped: float,
    runs: float,
    error: float,
) -> Found:
    """Look whether an address was at one host at a time.

    Before the guest runs at the destination nothing of the address is there,
    but for filters once it has stopped at the source; after it nothing is at
    the source; no two filters let it in at once.

    :param sights: of one migration, in any order
    :param stopped: when QEMU had stopped the guest's CPUs at the source
    :param runs: when QEMU let the guest's CPUs run at the destination
    :param error: seconds by which these may be wrong
    """
    known = sorted(sights, key=lambda sight: sight.time)
    wrong = [
        sight
        for sight in known
        if sight.kind is not Kind.CLOSED
        and (
            sight.time
            < (stopped if sight.kind is Kind.OPENED else runs)
            - error
            - sight.error
            if sight.host == move.destination
            else sight.time > runs + error + sight.error
        )
    ]
    sent = [
        sight.time - runs
        for sight in known
        if sight.kind is Kind.SENT
        and sight.host == move.destination
        and sight not in wrong
    ]
    said = [sight.said(runs) for sight in wrong]
    return Found(
        max(0.0, sent[0]) if sent else None,
        len(known),
        (*said, *(sight.said(runs) for sight in _shared(known))),
    )


def _shared(known: list[Sight]) -> list[Sight]:
    """Return those that opened a filter while another host's was open."""
    opened: dict[str, Sight] = {}
    found = []
    for sight in known:
        if sight.kind is Kind.CLOSED:
            opened.pop(sight.host, None)
        elif sight.kind is Kind.OPENED:
            if opened.keys() - {sight.host}:
                found.append(sight)
            # A filter that was open already is told of again.
            opened.setdefault(sight.host, sight)
    return found
