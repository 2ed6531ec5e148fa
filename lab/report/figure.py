# SPDX-License-Identifier: Apache-2.0
"""The figure of one migration: reachability over time, as inline SVG.

From top to bottom: the phases, which link carries the traffic, and each
ping's delay on a logarithmic scale with the lost ones as bands.
Colours are classes; the page's style sheet says what they are.
"""

import collections.abc
import html
import math

from lab.judge import links
from lab.judge import record
from lab.report import drawing


def svg(move: record.Move) -> str:
    """Draw a migration."""
    scale = drawing.scale_of(move)
    title = f'Reachability of the server, {move.source} to {move.destination}'
    parts = [
        f'<svg viewBox="0 0 {drawing.WIDTH:g} {drawing.HEIGHT:g}" role="img" '
        f'aria-label="{html.escape(title)}">',
        *_grid(scale),
        *_shades(move, scale),
        *_windows(move, scale),
        _dots(move, scale),
        *_phases(move, scale),
        *_links(move, scale),
        *_axis(scale),
        '</svg>',
    ]
    return '\n'.join(parts)


def _grid(scale: drawing.Scale) -> collections.abc.Iterator[str]:
    for power in range(scale.floor, scale.ceiling + 1):
        y = scale.y(10.0**power)
        yield (
            f'<line x1="{drawing.LEFT:g}" x2="{drawing.RIGHT:g}" '
            f'y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        )
        delay = 10.0**power * 1000
        label = f'{delay:g} ms' if delay < 1000 else f'{delay / 1000:g} s'
        yield drawing.text(drawing.LEFT - 8, y + 4, label, 'small', 'end')


def _shades(
    move: record.Move, scale: drawing.Scale
) -> collections.abc.Iterator[str]:
    for phase in move.phases:
        left = scale.x(phase.start)
        width = max(scale.x(phase.end) - left, 1.0)
        tip = f'{phase.name}: {phase.seconds:.2f} s on {phase.host}'
        kind = f'shade {phase.name}'
        yield drawing.rect(
            left, drawing.PLOT_TOP, width, drawing.PLOT, kind, tip
        )


def _windows(
    move: record.Move, scale: drawing.Scale
) -> collections.abc.Iterator[str]:
    free = drawing.LEFT
    for window in move.windows:
        left = scale.x(window.start)
        width = max(scale.x(window.end) - left, 2.0)
        tip = (
            f'{window.lost} lost in {window.seconds:.2f} s, {window.phase}, '
            f'{window.start - move.requested:.2f} s after the request'
        )
        yield drawing.rect(
            left, drawing.PLOT_TOP, width, drawing.PLOT, 'lost', tip
        )
        label = f'{window.lost} lost'
        middle = left + width / 2
        half = len(label) * drawing.LETTER / 2
        if middle - half >= free:
            yield drawing.text(
                middle, drawing.PLOT_TOP + 14, label, 'small loss'
            )
            free = middle + half + 4


def _dots(move: record.Move, scale: drawing.Scale) -> str:
    marks = ''.join(
        f'M{scale.x(sample.sent):.1f} {scale.y(sample.delay):.1f}h0'
        for sample in move.samples
        if sample.delay is not None
    )
    return f'<path d="{marks}" class="dot"/>'


def _phases(
    move: record.Move, scale: drawing.Scale
) -> collections.abc.Iterator[str]:
    left = scale.x(move.requested)
    width = scale.x(move.finished) - left
    tip = f'the whole migration: {move.seconds:.1f} s'
    yield drawing.rect(
        left, drawing.LABELS, width, drawing.PHASES, 'whole', tip
    )
    yield drawing.text(
        drawing.LEFT - 8, drawing.LABELS + 17, 'phase', 'small', 'end'
    )
    outside = 0
    for phase in move.phases:
        left = scale.x(phase.start)
        width = max(scale.x(phase.end) - left, 2.0)
        decimals = 1 if phase.seconds >= 1 else 2
        label = f'{phase.name} {phase.seconds:.{decimals}f} s'
        tip = f'{label} on {phase.host}: {phase.result}'
        yield drawing.rect(
            left,
            drawing.LABELS,
            width,
            drawing.PHASES,
            f'bar {phase.name}',
            tip,
        )
        middle = left + width / 2
        if len(label) * drawing.LETTER < width - 8:
            yield drawing.text(middle, drawing.LABELS + 17, label, 'inside')
        else:
            yield from _outside(middle, label, outside)
            outside += 1


def _outside(
    x: float, label: str, number: int
) -> collections.abc.Iterator[str]:
    """Put a label beside a line: left and right of it, then a row higher."""
    row = 32.0 - 16 * (number // 2 % 2)
    yield drawing.line(x, row - 9, drawing.LABELS, 'leader')
    if number % 2:
        yield drawing.text(x + 4, row, label, 'small', 'start')
    else:
        yield drawing.text(x - 4, row, label, 'small', 'end')


def _links(
    move: record.Move, scale: drawing.Scale
) -> collections.abc.Iterator[str]:
    top = drawing.LABELS + drawing.PHASES + drawing.GAP
    yield drawing.text(drawing.LEFT - 8, top + 14, 'link', 'small', 'end')
    for link in links.of(move):
        left = scale.x(link.start)
        width = max(scale.x(link.end) - left, 1.0)
        kind = f'link {link.kind}'
        yield drawing.rect(
            left, top, width, drawing.LINKS, kind, link.labels[0]
        )
        for text in link.labels:
            if len(text) * drawing.LETTER < width - 8:
                yield drawing.text(left + width / 2, top + 14, text, 'small')
                break


def _axis(scale: drawing.Scale) -> collections.abc.Iterator[str]:
    step = drawing.step_of(scale.last - scale.first)
    bottom = drawing.PLOT_TOP + drawing.PLOT
    tick = math.ceil(scale.first / step) * step
    while tick <= scale.last:
        x = scale.x(scale.zero + tick)
        yield drawing.line(x, bottom, bottom + 5, 'tick')
        yield drawing.text(x, bottom + 19, f'{tick:g}', 'small')
        tick = round(tick + step, 6)
    middle = (drawing.LEFT + drawing.RIGHT) / 2
    text = 'seconds after the request to migrate'
    yield drawing.text(middle, bottom + 36, text, 'small')
    y = drawing.PLOT_TOP + drawing.PLOT / 2
    yield (
        f'<text x="12" y="{y:g}" transform="rotate(-90 12 {y:g})" '
        'text-anchor="middle" class="small">delay of a ping</text>'
    )
