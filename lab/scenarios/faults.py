# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on purpose, one after the other."""

import pathlib

from lab import settings
from lab import shell
from lab.build import guest_image
from lab.judge import outcome
from lab.observe import facts
from lab.scenarios import fault_cases
from lab.scenarios import fault_run
from lab.scenarios import journey
from lab.scenarios import late_cases

FAULTS = fault_cases.FAULTS | late_cases.FAULTS
RATE = 20
DEAF = 'lab-guest-deaf'


def run(
    setup: settings.Settings,
    folder: pathlib.Path,
    only: list[str] | None = None,
) -> int:
    """Inflict them one after the other; a whole server is used again."""
    names = only or list(FAULTS)
    unknown = set(names) - set(FAULTS)
    if unknown:
        raise shell.Failed(
            f'no fault {", ".join(sorted(unknown))}; there are '
            f'{", ".join(FAULTS)}'
        )
    outcomes: list[outcome.Outcome] = []
    for guest_of in sorted({_guest(name) for name in names}):
        chosen = [name for name in names if _guest(name) == guest_of]
        outcomes += _run(setup, folder, chosen)
    text = '\n'.join(each.line() for each in outcomes)
    (folder / 'faults.txt').write_text(text + '\n')
    (folder / 'faults.json').write_text(outcome.to_json(outcomes) + '\n')
    print(f'\n{text}\n\nSee: {folder}/faults.txt')
    return 0 if all(each.passed for each in outcomes) else 1


def _guest(name: str) -> tuple[bool, str]:
    """Return what tells whether faults can have the same server."""
    fault = FAULTS[name]
    return fault.deaf, fault.kind


def _run(
    setup: settings.Settings, folder: pathlib.Path, names: list[str]
) -> list[outcome.Outcome]:
    outcomes: list[outcome.Outcome] = []
    server: facts.Server | None = None
    for name in names:
        fault = FAULTS[name]
        if server is not None and (fault.booting or not outcomes[-1].passed):
            journey.delete(setup, server.uuid)
            server = None
        fresh = server is None
        if server is None:
            server = _boot(setup, f'{folder.name}-{name}', fault)
        way = journey.Journey(setup, folder / name, server, RATE)
        way.folder.mkdir()
        with journey.probing(way):
            if fresh and not fault.booting:
                way.wait_for('an answer', way.answering, journey.BOOT, 3)
            outcomes.append(fault_run.run(name, fault, way))
    if server is not None and outcomes[-1].passed:
        journey.delete(setup, server.uuid)
    return outcomes


def _boot(
    setup: settings.Settings, name: str, fault: fault_run.Fault
) -> facts.Server:
    host = setup.hosts[0].name
    journey.say(f'booting a server on {host}')
    if not fault.deaf:
        return journey.boot(setup, name, host, 1, fault.kind)
    image = guest_image.image(setup, guest_image.DEAF)
    if not image.exists():
        guest_image.build(setup, guest_image.DEAF)
    # Named by its content, and seen from the tree as from here.
    facts.cloud(setup, 'image', f'{DEAF}-{image.stem}', str(image))
    return journey.boot(
        setup, name, host, 1, fault.kind, f'{DEAF}-{image.stem}'
    )
