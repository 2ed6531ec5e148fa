# SPDX-License-Identifier: Apache-2.0
"""What many migrations have lost, by pairing, phase and place of the probe."""

import collections.abc
import dataclasses
import statistics

from lab.judge import address
from lab.judge import record
from lab.judge import windows
from lab.report import tables

PHASES = ('unplug', 'move', 'plug', windows.SWITCH_OVER, windows.OUTSIDE)
PLACES = {
    'outside': 'from outside',
    'neighbour': "from a VF of the destination's PF",
}
BY_STOP = ('unplug', 'move', 'plug')
COMPARED = (
    ('failover', 'qemu'),
    ('failover', 'alone'),
    ('failover', 'stock'),
    ('bond', 'alone'),
    ('bond', 'stock'),
    ('ports', 'stock'),
    ('none', 'alone'),
)
RATIO_HEAD = ('ours', 'other', 'before the stop', 'in it', 'after it')
HEAD = ('pairing', 'migrations', 'whole', *PHASES, 'load')
ADDRESS_HEAD = ('pairing', 'migrations', 'first frame', 'sights', 'wrong')


@dataclasses.dataclass(frozen=True)
class Loss:
    """Seconds without an answer in one migration, by phase.

    :ivar by_stop: by place, before, in and after the stop of the guest
    :ivar where: where the server's address was; None if its guest did not
        go on at the destination
    """

    kind: str
    name: str
    passed: bool
    load: float
    outside: dict[str, float]
    neighbour: dict[str, float]
    by_stop: dict[str, dict[str, float]]
    where: address.Found | None = None

    def said(self) -> str:
        """Say in one line what was lost, or what is wrong with the server."""
        parts = [
            f'{place} {phase} {seconds:.2f} s'
            for place in PLACES
            for phase, seconds in getattr(self, place).items()
        ]
        end = '' if self.passed else '; the server is NOT whole'
        if found := self.where:
            end += f'; first frame {_seconds_or_none(found.first)}'
            end += ''.join(f'\n  {words}' for words in found.wrong)
        return f'{self.name}: lost {", ".join(parts) or "nothing"}{end}'


def of(
    kind: str,
    move: record.Move,
    samples: tuple[record.Sample, ...],
    by_stop: tuple[record.Phase, ...],
    where: address.Found | None,
) -> Loss:
    """Sum up what was lost in a migration.

    :param samples: of the neighbour, longer than the migration
    :param by_stop: what lies before, in and after the stop of the guest
    :param where: where the server's address was
    """
    near = record.around(samples, move.requested, move.finished + move.settled)
    found = windows.find(near)
    seen = windows.assign(found, move.phases)
    return Loss(
        kind=kind,
        name=move.name,
        passed=move.passed,
        load=max(move.load),
        outside=_seconds(move.windows),
        neighbour=_seconds(seen),
        by_stop={
            'outside': windows.cut(move.windows, by_stop),
            'neighbour': windows.cut(found, by_stop),
        },
        where=where,
    )


def text(losses: collections.abc.Sequence[Loss]) -> str:
    """Lay the losses out: a table for each place of a probe, and ratios."""
    parts = [
        f'Pinged {words}: seconds without an answer, median and most\n\n'
        + tables.table(HEAD, rows(losses, place))
        for place, words in PLACES.items()
    ]
    parts += [
        f'Pinged {words}: mean seconds of ours, of the other, their ratio\n\n'
        + tables.table(RATIO_HEAD, compared)
        for place, words in PLACES.items()
        if (compared := ratios(losses, place))
    ]
    parts.append(
        "Seconds from when the guest ran to the address's first frame, median "
        'and most; where it was seen, and how often where it must not be\n\n'
        + tables.table(ADDRESS_HEAD, addresses(losses))
    )
    return '\n\n'.join(parts)


def addresses(losses: collections.abc.Sequence[Loss]) -> list[tables.Row]:
    """Give for each kind where the servers' addresses were."""
    found: list[tables.Row] = []
    for kind in dict.fromkeys(loss.kind for loss in losses):
        seen = [
            loss.where for loss in losses if loss.kind == kind and loss.where
        ]
        first = [each.first for each in seen if each.first is not None]
        found.append(
            (
                kind,
                str(len(seen)),
                f'{statistics.median(first):.3f} {max(first):.3f}'
                if first
                else 'none',
                str(sum(each.seen for each in seen)),
                str(sum(len(each.wrong) for each in seen)),
            )
        )
    return found


def rows(
    losses: collections.abc.Sequence[Loss], place: str
) -> list[tables.Row]:
    """Give median and most of each phase, for each kind."""
    found = []
    for kind in dict.fromkeys(loss.kind for loss in losses):
        these = [loss for loss in losses if loss.kind == kind]
        cells = []
        for phase in PHASES:
            seconds = [getattr(loss, place).get(phase, 0.0) for loss in these]
            middle = statistics.median(seconds)
            cells.append(f'{middle:.2f} {max(seconds):.2f}')
        loads = [loss.load for loss in these]
        found.append(
            (
                kind,
                str(len(these)),
                str(sum(loss.passed for loss in these)),
                *cells,
                f'{min(loads):.1f} to {max(loads):.1f}',
            )
        )
    return found


def ratios(
    losses: collections.abc.Sequence[Loss], place: str
) -> list[tables.Row]:
    """Compare ours with each other way that was measured beside it."""
    means = {
        (loss.kind, phase): statistics.mean(
            each.by_stop[place].get(phase, 0.0)
            for each in losses
            if each.kind == loss.kind
        )
        for loss in losses
        for phase in BY_STOP
    }
    kinds = {loss.kind for loss in losses}
    return [
        (
            ours,
            other,
            *(_ratio(means[ours, p], means[other, p]) for p in BY_STOP),
        )
        for ours, other in COMPARED
        if {ours, other} <= kinds
    ]


def _ratio(ours: float, other: float) -> str:
    ratio = f'{ours / other:.2f}' if other else 'none'
    return f'{ours:.3f} {other:.3f} {ratio}'


def _seconds_or_none(seconds: float | None) -> str:
    return 'none' if seconds is None else f'after {seconds:.3f} s'


def _seconds(
    found: collections.abc.Iterable[record.Window],
) -> dict[str, float]:
    lost = windows.lost_by_phase(found)
    return {phase: round(seconds, 2) for phase, (_, seconds) in lost.items()}
