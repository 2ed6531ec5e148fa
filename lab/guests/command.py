# SPDX-License-Identifier: Apache-2.0
"""The command ``guests``: build what is missing, try each cell, report."""

import argparse
import functools
import time

from lab import settings
from lab import shell
from lab import stages
from lab.build import initramfs
from lab.build import mounts
from lab.build import tree
from lab.guests import image
from lab.guests import machine
from lab.guests import managers
from lab.guests import matrix
from lab.guests import seed
from lab.guests import trial
from lab.guests import ways
from lab.hosts import accel
from lab.scenarios import command as scenarios


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what chooses cells to the command."""
    known = ', '.join(manager.name for manager in managers.MANAGERS)
    parser.add_argument(
        'manager', nargs='*', help=f'some of {known}; all if none is named'
    )
    parser.add_argument(
        '--way',
        action='append',
        choices=ways.WAYS,
        help='only this way; may be repeated',
    )


def main(setup: settings.Settings, options: argparse.Namespace) -> int:
    """Try the cells; the exit status tells whether all passed."""
    chosen = [managers.named(name) for name in options.manager]
    chosen = chosen or list(managers.MANAGERS)
    stages.run(
        [
            *(s for s in tree.STAGES if s.name != 'Python packages'),
            *mounts.STAGES,
            *accel.STAGES,
            stages.Stage(
                'kernel of the guests',
                lambda setup: initramfs.build_boot_files(
                    setup, 'guests', machine.MODULES
                ),
                lambda setup: initramfs.boot_files(
                    setup, 'guests', machine.MODULES
                )[0].exists(),
            ),
            *(_stage(manager) for manager in chosen),
        ],
        setup,
    )
    folder = scenarios.report_folder(setup, 'guests')
    cells: list[matrix.Cell] = []
    tried = options.way or ways.WAYS
    for manager in chosen:
        for way in tried:
            print(f'{manager.name}, {way}')
            cells.append(_try(setup, manager, way))
            console = setup.log / 'guest-console.log'
            if console.exists():
                console.rename(folder / f'{manager.name}-{way}-console.log')
            text = matrix.text(cells, tried)
            (folder / 'guests.txt').write_text(text)
            (folder / 'guests.json').write_text(matrix.document(cells))
    print(f'\n{text}\nReport: {folder}')
    return 1 if any(cell.failure for cell in cells) else 0


def _stage(manager: managers.Manager) -> stages.Stage:
    return stages.Stage(
        f'guest with {manager.name}',
        functools.partial(image.build, manager=manager),
        lambda setup: image.disk(setup, manager).exists(),
    )


def _try(
    setup: settings.Settings, manager: managers.Manager, way: str
) -> matrix.Cell:
    begin, said = time.monotonic(), ''
    steps: list[trial.Step] = []
    try:
        drive = setup.run / 'guest-drive.img'
        setup.run.mkdir(parents=True, exist_ok=True)
        content = seed.files(*ways.seeds(way, manager), manager.name)
        seed.make(setup, drive, content)
        disk = image.disk(setup, manager)
        with machine.running(
            setup, disk, drive, way == ways.FAILOVER
        ) as guest:
            tried = trial.Trial(guest)
            steps = tried.steps
            ways.run(way, tried)
    except (shell.Failed, OSError) as exc:
        said = matrix.failure(steps, str(exc))
    return matrix.Cell(
        manager.name, way, time.monotonic() - begin, said, tuple(steps)
    )
