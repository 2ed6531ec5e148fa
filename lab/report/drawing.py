# SPDX-License-Identifier: Apache-2.0
"""Measures, scales and marks from which a figure is drawn."""

import dataclasses
import html
import math

from lab.judge import record

WIDTH = 1000.0
LEFT = 76.0
RIGHT = 984.0  # the place where the plot ends
LABELS = 44.0  # above the phases, for labels that do not fit into a bar
PHASES = 26.0
LINKS = 20.0
GAP = 10.0
PLOT = 210.0
AXIS = 40.0
LETTER = 6.6  # about the width of a letter of the figure's small text
PLOT_TOP = LABELS + PHASES + GAP + LINKS + GAP
HEIGHT = PLOT_TOP + PLOT + AXIS


@dataclasses.dataclass(frozen=True)
class Scale:
    """Turn seconds and delays into places of the figure."""

    zero: float
    first: float
    last: float
    floor: int
    ceiling: int

    def x(self, time: float) -> float:
        part = (time - self.zero - self.first) / (self.last - self.first)
        return LEFT + min(max(part, 0.0), 1.0) * (RIGHT - LEFT)

    def y(self, delay: float) -> float:
        decades = math.log10(max(delay, 10.0**self.floor)) - self.floor
        part = min(decades / (self.ceiling - self.floor), 1.0)
        return PLOT_TOP + PLOT * (1 - part)


def scale_of(move: record.Move) -> Scale:
    """Fit a scale to a migration and its samples."""
    times = [sample.sent for sample in move.samples]
    first = min([*times, move.requested]) - move.requested
    last = max([*times, move.finished]) - move.requested
    delays = [s.delay for s in move.samples if s.delay]
    floor = math.floor(math.log10(min(delays, default=0.001)))
    ceiling = math.ceil(math.log10(max(delays, default=0.1)))
    return Scale(
        zero=move.requested,
        first=first,
        last=max(last, first + 1.0),
        floor=floor,
        ceiling=max(ceiling, floor + 2),
    )


def step_of(span: float) -> float:
    """Choose a round distance of ticks, for about ten of them."""
    raw = span / 10
    power = 10.0 ** math.floor(math.log10(raw))
    return next(
        power * factor for factor in (1, 2, 5, 10) if power * factor >= raw
    )


def rect(
    left: float, top: float, width: float, height: float, kind: str, tip: str
) -> str:
    """Draw a bar whose tip shows when it is pointed at."""
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" class="{kind}">'
        f'<title>{html.escape(tip)}</title></rect>'
    )


def text(
    x: float, y: float, words: str, kind: str = '', anchor: str = 'middle'
) -> str:
    """Write words."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
        f'class="{kind}">{html.escape(words)}</text>'
    )


def line(x: float, top: float, bottom: float, kind: str) -> str:
    """Draw an upright line."""
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" '
        f'y2="{bottom:.1f}" class="{kind}"/>'
    )
