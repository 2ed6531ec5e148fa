# SPDX-License-Identifier: Apache-2.0
"""Bring something up in stages: what is done is not done again."""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import hashlib
import json
import time

from lab import settings


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """One stage of bringing the lab up.

    :ivar run: does it; may be repeated after it was cut off
    :ivar done: tells whether its result is there; must be quick
    """

    name: str
    run: Callable[[settings.Settings], None]
    done: Callable[[settings.Settings], bool]
    needs: tuple[str, ...] = ()


def run(
    stages: Sequence[Stage],
    setup: settings.Settings,
    say: Callable[[str], None] = print,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Run each stage that is not done, and say how long each took."""
    begin = clock()
    for stage in stages:
        if stage.done(setup):
            say(f'[{clock() - begin:6.1f} s] {stage.name}: there already')
            continue
        say(f'[{clock() - begin:6.1f} s] {stage.name} ...')
        at = clock()
        stage.run(setup)
        say(
            f'[{clock() - begin:6.1f} s] {stage.name}: done in '
            f'{clock() - at:.1f} s'
        )


def digest(*inputs: object) -> str:
    """Return a short name for the content of the inputs."""
    text = json.dumps(inputs, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stamped(setup: settings.Settings, name: str, content: str) -> bool:
    """True if the stage's result was made from this content."""
    path = setup.folder / 'stamps' / name
    return path.exists() and path.read_text() == content


def stamp(setup: settings.Settings, name: str, content: str) -> None:
    """Note from what content the stage's result was made."""
    path = setup.folder / 'stamps' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
