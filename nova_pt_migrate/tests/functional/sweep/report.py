# SPDX-License-Identifier: Apache-2.0
"""What was tried and how it ended, for whoever counts."""

from collections.abc import Iterable
import dataclasses
import json
import os
import pathlib

FOLDER = 'PT_SWEEP_REPORT'
"""The variable that names the folder; nothing is written without it."""


@dataclasses.dataclass(frozen=True)
class Result:
    """One migration with faults.

    :ivar faults: what was to fail, in words
    :ivar met: all of them were met
    :ivar end: host and status, or empty
    :ivar problem: how the contract was broken, or empty
    """

    case: str
    faults: tuple[str, ...]
    met: bool
    end: str
    problem: str


def write(name: str, results: Iterable[Result]) -> None:
    """Write the results of one test, in the order in which they were had."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    lines = [json.dumps(dataclasses.asdict(result)) for result in results]
    path = pathlib.Path(folder) / f'{name}.jsonl'
    path.write_text(''.join(f'{line}\n' for line in lines))
