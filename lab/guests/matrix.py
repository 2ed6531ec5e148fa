# SPDX-License-Identifier: Apache-2.0
"""What came of it: a table of managers and ways, as text and as JSON."""

from collections.abc import Sequence
import dataclasses
import json

from lab.guests import trial
from lab.report import tables


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """A way in the guest of a manager.

    :ivar failure: why it failed, or could not be tried; empty if it passed
    """

    manager: str
    way: str
    seconds: float
    failure: str
    steps: tuple[trial.Step, ...]


def text(cells: Sequence[Cell], ways: Sequence[str]) -> str:
    """Return the table, with a sentence for each cell that failed."""
    names = list(dict.fromkeys(cell.manager for cell in cells))
    said = {(cell.manager, cell.way): _word(cell) for cell in cells}
    rows = [
        (name, *(said.get((name, way), 'not run') for way in ways))
        for name in names
    ]
    lines = [tables.table(('', *ways), rows)]
    lines += [
        f'{cell.manager}, {cell.way}: {cell.failure}'
        for cell in cells
        if cell.failure
    ]
    lines += [
        f'{cell.manager}, {cell.way}, {step.name}: {step.note}'
        for cell in cells
        for step in cell.steps
        if step.note and not step.wrong
    ]
    return '\n'.join(lines) + '\n'


def document(cells: Sequence[Cell]) -> str:
    """Return all there is to know as JSON."""
    return json.dumps([dataclasses.asdict(cell) for cell in cells], indent=1)


def failure(steps: Sequence[trial.Step], said: str) -> str:
    """Return the sentence of what failed.

    :param said: by what ended the trial
    """
    if steps and steps[-1].wrong:
        return f'{steps[-1].name}: {steps[-1].wrong}'
    return said


def _word(cell: Cell) -> str:
    return 'failed' if cell.failure else 'passed'
