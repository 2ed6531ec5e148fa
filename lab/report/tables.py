# SPDX-License-Identifier: Apache-2.0
"""The report of a run as tables, and these as text for a terminal."""

import collections.abc
import itertools

from lab.judge import record
from lab.judge import windows

ORDER = (
    'look',
    'unplug',
    'move',
    'plug',
    windows.SWITCH_OVER,
    windows.OUTSIDE,
)

Row = tuple[str, ...]


def table(head: Row, rows: collections.abc.Sequence[Row]) -> str:
    """Lay out rows in columns, figures to the right."""
    widths = [
        max(len(row[column]) for row in (head, *rows))
        for column in range(len(head))
    ]
    lines = [_laid_out(head, widths), '-' * (sum(widths) + 2 * len(head) - 2)]
    lines += [_laid_out(row, widths) for row in rows]
    return '\n'.join(lines)


def phase_rows(move: record.Move) -> list[Row]:
    """Give each phase with its result, lost pings and seconds of loss."""
    lost = windows.lost_by_phase(move.windows)
    rows: list[Row] = []
    for phase in move.phases:
        # Loss is known by the phase's name; show it once for each name.
        pings, seconds = lost.pop(phase.name, (0, 0.0))
        rows.append(
            (
                phase.name,
                phase.host,
                _devices(phase),
                f'{phase.seconds:.2f}',
                phase.result,
                str(pings),
                f'{seconds:.2f}',
            )
        )
    for name in (name for name in ORDER if name in lost):
        pings, seconds = lost[name]
        rows.append((name, *[''] * 4, str(pings), f'{seconds:.2f}'))
    rows.append(_total(move))
    return rows


def place_rows(move: record.Move) -> list[Row]:
    """Give where the devices were seen before and after."""
    before, after = move.before, move.after
    return [
        ('server on', before.host, after.host),
        *_listed('VF in the live XML', before.live, after.live),
        *_listed("VF in Nova's database", before.database, after.database),
        *_listed('link in the guest', before.guest, after.guest),
    ]


PHASE_HEAD = (
    'phase',
    'host',
    'devices',
    'seconds',
    'result',
    'lost pings',
    'loss, s',
)
PLACE_HEAD = ('', 'before', 'after')


def text(run: record.Run) -> str:
    """Write the report for a terminal."""
    parts = [run.title]
    for move in run.moves:
        parts += [
            heading(move),
            table(PHASE_HEAD, phase_rows(move)),
            table(PLACE_HEAD, place_rows(move)),
            '\n'.join(_said(check) for check in move.checks),
            '' if move.passed else _why(move),
        ]
    parts += list(run.notes)
    parts.append(f'Verdict: {word(run.passed)}')
    return '\n\n'.join(filter(None, parts))


def heading(move: record.Move) -> str:
    """Name a migration with its seconds, loss and load."""
    lost = sum(window.lost for window in move.windows)
    return (
        f'{move.name}: {move.source} to {move.destination} in '
        f'{move.seconds:.1f} s, {lost} pings lost, load average '
        f'{move.load[0]:.1f} to {move.load[1]:.1f}'
    )


WINDOW_HEAD = ('at, s', 'seconds', 'lost', 'phase')


def window_rows(move: record.Move) -> list[Row]:
    """Give each window of loss: when, how long, how many, in which phase."""
    return [
        (
            f'{window.start - move.requested:.2f}',
            f'{window.seconds:.2f}',
            str(window.lost),
            window.phase,
        )
        for window in move.windows
    ]


def word(passed: bool) -> str:
    """Say how a verdict ends."""
    return 'passed' if passed else 'failed'


def _why(move: record.Move) -> str:
    """Give what the client and Nova said of a migration that failed."""
    events = [
        f'{event.event} on {event.host}: {event.result} {event.details}'
        for event in move.events
        if event.result != 'Success'
    ]
    return '\n'.join([*events, *move.said.splitlines()[-1:]])


def _devices(phase: record.Phase) -> str:
    if len(phase.devices) > 2:
        return f'{len(phase.devices)} devices'
    return ' '.join(phase.devices)


def count(number: int, thing: str) -> str:
    """Count things in words."""
    return f'{number} {thing}' if number == 1 else f'{number} {thing}s'


def _total(move: record.Move) -> Row:
    lost = sum(window.lost for window in move.windows)
    seconds = sum(window.seconds for window in move.windows)
    whole = ('all', '', '', f'{move.seconds:.2f}', word(move.passed))
    return (*whole, str(lost), f'{seconds:.2f}')


def _said(check: record.Check) -> str:
    return f'  {"ok  " if check.passed else "FAIL"} {check.what}: {check.seen}'


def _listed(
    what: str, before: tuple[str, ...], after: tuple[str, ...]
) -> collections.abc.Iterator[Row]:
    pairs = itertools.zip_longest(before, after, fillvalue='none')
    yield from ((what, *pair) for pair in pairs)


def is_number(cell: str) -> bool:
    """Tell whether a cell is aligned to the right."""
    return cell.replace('.', '', 1).isdigit()


def _laid_out(row: Row, widths: list[int]) -> str:
    cells = (
        cell.rjust(width) if is_number(cell) else cell.ljust(width)
        for cell, width in zip(row, widths, strict=True)
    )
    return '  '.join(cells).rstrip()
