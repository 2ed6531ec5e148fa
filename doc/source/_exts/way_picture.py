# SPDX-License-Identifier: Apache-2.0
"""Draw the way of a live migration through the rooms of both hosts.

Pure: steps in, SVG out.
"""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import html

LANES = ('source', 'destination')
PHASE, LANE, GAP = 70, 370, 30
LONGEST = 56
"""Characters that a box has room for."""
HEIGHT, ROW, HEAD = 44, 66, 30


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """What is done on one host before another goes on.

    :ivar host: one of :data:`LANES`
    :ivar phase: its name, or ``-``
    :ivar rooms: those that are entered, in order
    :ivar what: some words
    """

    host: str
    phase: str
    rooms: tuple[str, ...]
    what: str

    @classmethod
    def read(cls, line: str) -> 'Step':
        """Return the step that ``host | phase | rooms | what`` tells of.

        :raises ValueError: it tells of none
        """
        host, phase, rooms, what = (part.strip() for part in line.split('|'))
        if host not in LANES:
            raise ValueError(f'{host} is neither source nor destination')
        if len(what) > LONGEST:
            raise ValueError(f'longer than {LONGEST} characters: {what}')
        return cls(host, phase, tuple(rooms.split()), what)

    @property
    def left(self) -> int:
        """Return where its box begins."""
        return PHASE + LANES.index(self.host) * (LANE + GAP)


def parts(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the parts of the drawing, from above."""
    for number, host in enumerate(LANES):
        x = PHASE + number * (LANE + GAP) + LANE / 2
        yield _text(x, 16, host, 'text-anchor="middle" font-weight="bold"')
    for number, step in enumerate(steps):
        top = HEAD + number * ROW
        if number:
            yield _arrow(steps[number - 1].left, step.left, top)
        if step.phase != '-':
            yield _text(0, top + 27, step.phase, 'font-family="monospace"')
        yield (
            f'<rect x="{step.left}" y="{top}" width="{LANE}" '
            f'height="{HEIGHT}" rx="4" fill="#eef3f8" stroke="#557"/>'
        )
        rooms = ' → '.join(step.rooms)
        yield _text(step.left + 10, top + 18, rooms, 'font-weight="bold"')
        yield _text(step.left + 10, top + 35, step.what, 'font-size="12"')


def size(steps: Sequence[Step]) -> tuple[int, int]:
    """Return width and height of the drawing."""
    return PHASE + 2 * LANE + GAP + 2, HEAD + ROW * len(steps)


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" {style}>{html.escape(words)}</text>'


def _arrow(from_left: int, to_left: int, top: int) -> str:
    x, to_x = from_left + LANE / 2, to_left + LANE / 2
    y, middle = top - ROW + HEIGHT, top - (ROW - HEIGHT) / 2
    return (
        f'<path d="M{x} {y} C{x} {middle} {to_x} {middle} {to_x} {top}" '
        f'fill="none" stroke="#667" marker-end="url(#tip)"/>'
    )
