# SPDX-License-Identifier: Apache-2.0
"""Which link carries the guest's traffic during a migration, and when."""

import dataclasses

from lab.judge import record


@dataclasses.dataclass(frozen=True)
class Link:
    """What carries the traffic for a time; labels from long to short."""

    start: float
    end: float
    kind: str
    labels: tuple[str, ...]


def of(move: record.Move) -> tuple[Link, ...]:
    """Say which link the guest has when: a VF, or only the standby."""
    first = min((s.sent for s in move.samples), default=move.requested)
    last = max((s.sent for s in move.samples), default=move.finished)
    left = [p.end for p in move.phases if p.name == 'unplug']
    came = [p.end for p in move.phases if p.name == 'plug']
    if not left or not came:
        return ()
    gone, back = max(left), max(came)
    return (
        Link(first, gone, 'primary', _labels(move.before)),
        Link(gone, back, 'standby', ('standby',)),
        Link(back, last, 'primary', _labels(move.after)),
    )


def _labels(place: record.Place) -> tuple[str, ...]:
    short = f'VF on {place.host}'
    if len(place.live) == 1:
        return f'VF on {place.live[0]}', short, 'VF'
    return f'{len(place.live)} VFs on {place.host}', short, 'VF'
