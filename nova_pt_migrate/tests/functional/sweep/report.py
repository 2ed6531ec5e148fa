# SPDX-License-Identifier: Apache-2.0
"""What was tried and how it ended, for whoever counts."""

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


def write(name: str, result: Result, log: str) -> None:
    """Add the result of one migration to those of one test.

    :param log: what was logged meanwhile; kept where there is a problem
    """
    folder = os.environ.get(FOLDER)
    if folder:
        with (pathlib.Path(folder) / f'{name}.jsonl').open('a') as file:
            file.write(json.dumps(dataclasses.asdict(result)) + '\n')
        if result.problem:
            with (pathlib.Path(folder) / f'{name}.log').open('a') as file:
                file.write(f'{log}\n{result}\n')
