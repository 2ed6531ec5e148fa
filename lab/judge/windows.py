# SPDX-License-Identifier: Apache-2.0
"""Windows of loss: which pings were not answered, and in which phase."""

import collections.abc
import dataclasses

from lab.judge import record

OUTSIDE = 'outside'
# The guest makes a device its active link soon after it was plugged.
SWITCH_OVER = 'switch over'
SOON = 5.0
# An answer this many seconds late was queued somewhere until the way was
# free again; it must not hide that there was none.
LATE = 1.0


def find(
    samples: collections.abc.Sequence[record.Sample],
) -> tuple[record.Window, ...]:
    """Give each run of successive pings without an answer in time.

    A window ends when the first answered ping after it was sent, so its
    length is an upper bound of the time without contact; one at the very
    end has only the time of its last ping.
    """
    found: list[record.Window] = []
    lost: list[record.Sample] = []
    for sample in samples:
        if sample.delay is None or sample.delay > LATE:
            lost.append(sample)
        elif lost:
            found.append(_window(lost, sample.sent))
            lost = []
    if lost:
        found.append(_window(lost, lost[-1].sent))
    return tuple(found)


def assign(
    windows: collections.abc.Iterable[record.Window],
    phases: collections.abc.Sequence[record.Phase],
) -> tuple[record.Window, ...]:
    """Name for each window the phase with which it overlaps most.

    One that begins soon after a plug is of the guest's switch-over.
    """
    return tuple(
        dataclasses.replace(window, phase=_phase_of(window, phases))
        for window in windows
    )


def by_phase(
    samples: collections.abc.Sequence[record.Sample],
    phases: collections.abc.Sequence[record.Phase],
) -> tuple[record.Window, ...]:
    """Give the windows of loss, each with its phase."""
    return assign(find(samples), phases)


def lost_by_phase(
    windows: collections.abc.Iterable[record.Window],
) -> dict[str, tuple[int, float]]:
    """Sum for each phase the lost pings and the seconds of its windows."""
    sums: dict[str, tuple[int, float]] = {}
    for window in windows:
        lost, seconds = sums.get(window.phase, (0, 0.0))
        sums[window.phase] = (lost + window.lost, seconds + window.seconds)
    return sums


def cut(
    windows: collections.abc.Iterable[record.Window],
    phases: collections.abc.Sequence[record.Phase],
) -> dict[str, float]:
    """Sum for each phase the seconds of windows that lie in it."""
    found = list(windows)
    return {
        phase.name: round(
            sum(max(0.0, _overlap(window, phase)) for window in found), 2
        )
        for phase in phases
    }


def _window(lost: list[record.Sample], end: float) -> record.Window:
    return record.Window(start=lost[0].sent, end=end, lost=len(lost))


def _phase_of(
    window: record.Window,
    phases: collections.abc.Sequence[record.Phase],
) -> str:
    overlaps = [(_overlap(window, phase), phase.name) for phase in phases]
    most = max((overlap for overlap, _ in overlaps), default=0.0)
    if most > 0:
        return next(name for overlap, name in overlaps if overlap == most)
    plugged = [phase.end for phase in phases if phase.name == 'plug']
    soon = any(0 <= window.start - end <= SOON for end in plugged)
    return SWITCH_OVER if soon else OUTSIDE


def _overlap(window: record.Window, phase: record.Phase) -> float:
    return min(window.end, phase.end) - max(window.start, phase.start)
