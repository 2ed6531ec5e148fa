# SPDX-License-Identifier: Apache-2.0
"""What is shown of a run: on a terminal, to a reader of lines, in a file."""

from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import dataclasses
import pathlib
import time
from typing import BinaryIO

import rich.console
import rich.progress
import rich.table

from tools.runner import results

DRAWN = 0.2
"""Seconds between two states of the bar on a terminal."""
LINES = 30.0
"""Seconds between two lines that say how far it is."""
WIDE = 200
"""Columns of a table where there is no terminal."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a suite is.

    :ivar left: seconds that it will take still.
    :ivar running: tests, and for how many seconds they run.
    """

    done: int
    total: int
    failed: int
    left: float
    running: Sequence[tuple[str, float]]

    def line(self, gone: float) -> str:
        """Return it as a sentence for those who read lines."""
        running = ', '.join(
            f'{test.rpartition(".")[2]} ({seconds:.0f} s)'
            for test, seconds in self.running
        )
        if not self.total:
            return f'finding the tests, {clock(gone)} gone'
        return (
            f'{self.done} of {self.total}, {self.failed} failed, '
            f'{clock(gone)} gone, about {clock(self.left)} left'
            f'{": " if running else ""}{running}'
        )


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds."""
    return f'{int(seconds) // 60}:{int(seconds) % 60:02}'


class Screen:
    """Where all is written; the file has also what the tests wrote."""

    def __init__(
        self, path: pathlib.Path, console: rich.console.Console | None = None
    ) -> None:
        path.write_text('')
        self.path = path
        self.file: BinaryIO = path.open('ab', buffering=0)
        self._console = console or rich.console.Console(
            highlight=False, soft_wrap=True
        )
        self._bar: rich.progress.Progress | None = None
        self._task = rich.progress.TaskID(0)
        self._begun = self._drawn = self._said = time.monotonic()

    def say(self, text: str, style: str = '') -> None:
        """Write a line to all readers."""
        self._console.print(text, style=style or None, markup=False)
        self.log(text)

    def log(self, text: str) -> None:
        """Write a line to the file alone."""
        self.file.write(f'{text}\n'.encode(errors='replace'))

    def failure(self, result: results.Result) -> None:
        """Show a test that has failed, with its output.

        What it logged is long, and written to the file alone.
        """
        self.say(
            f'\nFAILED {result.test} [{result.seconds:.1f} s]', 'bold red'
        )
        if result.log:
            lines = result.log.count('\n') + 1
            self.say(f'({lines} lines of its log are in {self.path})')
            self.log(result.log)
        self.say(f'{result.output}\n')

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Show progress while a part runs."""
        self.say(f'\n== {name}', 'bold')
        self._begun = self._said = time.monotonic()
        if not self._console.is_terminal:
            yield
            return
        columns = (
            rich.progress.SpinnerColumn(),
            rich.progress.BarColumn(20),
            rich.progress.TextColumn('{task.fields[line]}', markup=False),
        )
        bar = rich.progress.Progress(
            *columns, console=self._console, transient=True
        )
        with bar:
            self._bar = bar
            self._task = bar.add_task(name, total=None, line='starting')
            yield
        self._bar = None

    def due(self) -> bool:
        """Return whether a new state would be shown."""
        return time.monotonic() - self._drawn >= DRAWN

    def progress(self, state: Progress) -> None:
        """Show how far a suite is: a bar, or now and then a line."""
        self._drawn = time.monotonic()
        line = state.line(self._drawn - self._begun)
        if self._bar:
            self._bar.update(
                self._task,
                completed=state.done,
                total=state.total or None,
                line=line,
            )
        if self._drawn - self._said >= LINES:
            self._said = self._drawn
            self.log(line)
            if not self._bar:
                self._console.print(line, markup=False)

    def doing(self, what: str) -> None:
        """Show what a part without tests does."""
        if self._bar:
            self._bar.update(self._task, line=what)

    def table(self, heads: Sequence[str], rows: Sequence[list[str]]) -> None:
        """Show a table; columns of figures stand at the right."""
        table = rich.table.Table(box=None, pad_edge=False)
        for column, head in enumerate(heads):
            figures = all(_is_figure(row[column]) for row in rows)
            table.add_column(
                head,
                justify='right' if figures else 'left',
                overflow='fold',
            )
        for row in rows:
            table.add_row(*row)
        wide = rich.console.Console(width=WIDE)
        with wide.capture() as captured:
            wide.print(table)
        lines = captured.get().splitlines()
        text = '\n'.join(line.rstrip() for line in lines)
        self.log(text)
        if self._console.is_terminal:
            self._console.print(table)
        else:
            self._console.print(text, markup=False)


def _is_figure(text: str) -> bool:
    return text.replace('.', '').isdigit() or not text
