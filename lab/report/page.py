# SPDX-License-Identifier: Apache-2.0
"""The report of a run: tables for a terminal and one self-contained page.

python3 -m lab.report.page FOLDER    writes the page again from the figures
"""

import collections.abc
import html
import pathlib
import sys
import time

from lab.judge import record
from lab.judge import windows
from lab.observe import probe
from lab.report import figure
from lab.report import tables


def render(run: record.Run) -> str:
    """Write the report as one HTML page that needs no other file."""
    style = pathlib.Path(__file__).with_name('page.css').read_text()
    started = time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(run.started))
    devices = tables.count(run.devices, 'VF')
    about = (
        f'{started} · server {run.server} with {devices} · '
        f'{run.rate} pings a second from outside · {run.machine}'
    )
    word = tables.word(run.passed)
    parts = [
        '<!doctype html>',
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f'<title>{html.escape(run.title)}</title>',
        f'<style>{style}</style></head><body><main>',
        f'<header><h1>{html.escape(run.title)}</h1>',
        f'<span class="badge {word}">{word}</span></header>',
        f'<p class="about">{html.escape(about)}</p>',
        *(_section(move) for move in run.moves),
        *(f'<p class="about">{html.escape(note)}</p>' for note in run.notes),
        '</main></body></html>',
    ]
    return '\n'.join(parts) + '\n'


def write(run: record.Run, folder: pathlib.Path) -> pathlib.Path:
    """Write figures, tables and page of a run; give the page's path."""
    record.write(run, folder)
    (folder / 'report.txt').write_text(tables.text(run) + '\n')
    path = folder / 'report.html'
    path.write_text(render(run))
    return path


def _section(move: record.Move) -> str:
    title = f'{move.name}: {move.source} → {move.destination}'
    return '\n'.join(
        (
            f'<section><h2>{html.escape(title)}</h2>',
            _cards(move),
            f'<figure>{figure.svg(move)}<figcaption>{_caption(move)}'
            '</figcaption></figure>',
            '<div class="columns">',
            html_table('Phases', tables.PHASE_HEAD, tables.phase_rows(move)),
            html_table(
                'Windows of loss', tables.WINDOW_HEAD, tables.window_rows(move)
            ),
            '</div>',
            html_table(
                'Where the VFs were',
                tables.PLACE_HEAD,
                tables.place_rows(move),
            ),
            _events(move),
            _checks(move),
            '</section>',
        )
    )


def html_table(
    title: str, head: tables.Row, rows: collections.abc.Sequence[tables.Row]
) -> str:
    """Write a table with a caption."""
    lines = [f'<table><caption>{html.escape(title)}</caption><thead>']
    lines.append(_row('th', head) + '</thead><tbody>')
    lines += [_row('td', row) for row in rows]
    return '\n'.join([*lines, '</tbody></table>'])


def _row(tag: str, cells: tables.Row) -> str:
    inner = ''.join(
        f'<{tag}{_kind(cell)}>{html.escape(cell)}</{tag}>' for cell in cells
    )
    return f'<tr>{inner}</tr>'


def _kind(cell: str) -> str:
    return ' class="number"' if tables.is_number(cell) else ''


def _cards(move: record.Move) -> str:
    lost = sum(window.lost for window in move.windows)
    longest = max((w.seconds for w in move.windows), default=0.0)
    cards = (
        (f'{move.seconds:.1f} s', 'from request to done'),
        (f'{lost}', f'of {len(move.samples)} pings lost'),
        (f'{longest:.2f} s', 'longest window of loss'),
        (f'{move.load[0]:.1f} – {move.load[1]:.1f}', 'load average'),
    )
    inner = ''.join(
        f'<div><b>{html.escape(big)}</b><span>{html.escape(small)}</span>'
        '</div>'
        for big, small in cards
    )
    return f'<div class="cards">{inner}</div>'


def _caption(move: record.Move) -> str:
    if not move.phases:
        return 'The log of nova-compute names no phases.'
    return (
        'Each dot is a ping and its delay; a red band is a window in which '
        f'none was answered within {windows.LATE:g} s. Point at a bar or a '
        'band for its figures.'
    )


def _events(move: record.Move) -> str:
    rows = [
        (event.event, event.host, *_times(event), event.result, event.details)
        for event in move.events
    ]
    head = ('event', 'host', 'from', 'to', 'result', 'details')
    return (
        "<details><summary>Nova's own record</summary>"
        f'{html_table("Events of the action", head, rows)}</details>'
    )


def _times(event: record.Event) -> tuple[str, str]:
    clock = slice(len('2026-01-01T'), len('2026-01-01T00:00:00'))
    return event.start_time[clock], event.finish_time[clock]


def _checks(move: record.Move) -> str:
    items = ''.join(
        f'<li class="{tables.word(check.passed)}">{html.escape(check.what)}'
        f'<span>{html.escape(check.seen)}</span></li>'
        for check in move.checks
    )
    passed = sum(check.passed for check in move.checks)
    return (
        f'<details{"" if move.passed else " open"}><summary>Verdict: '
        f'{passed} of {len(move.checks)} checks passed</summary>'
        f'<ul class="checks">{items}</ul></details>'
    )


def main(arguments: list[str]) -> None:
    folder = pathlib.Path(arguments[0])
    with (folder / 'probe.jsonl').open() as lines:
        samples = probe.read(lines)
    run = record.from_json((folder / 'run.json').read_text(), samples)
    print(write(run, folder))


if __name__ == '__main__':
    main(sys.argv[1:])
