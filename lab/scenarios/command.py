# SPDX-License-Identifier: Apache-2.0
"""The command ``scenario``: run one by its name, in a lab that is up."""

import argparse
import importlib
import pathlib
import time

from lab import settings

NAMES = {
    'contract': 'the contract suites against the hosts\' libvirt and kernel',
    'faults': 'what goes wrong on purpose, and how the server ends',
    'pairs': 'each pairing there and back, and what is lost on the way',
    'standbys': 'standbys in special circumstances',
    'short': 'a server with a VF there and back, with a verdict',
    'unplug_times': 'unplug-to-migrate times for 1, 2, 4 and 6 VFs',
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what names a scenario to its command."""
    said = '; '.join(f'{name}: {what}' for name, what in NAMES.items())
    parser.add_argument('name', choices=NAMES, help=said)
    parser.add_argument(
        'only',
        nargs='*',
        help='for faults, pairs and standbys: the names of some',
    )
    parser.add_argument(
        '--moves', type=int, help='for pairs: migrations of each (default 10)'
    )


def main(
    setup: settings.Settings, name: str, only: list[str], moves: int | None
) -> int:
    """Run a scenario; the exit status tells whether it passed."""
    module = importlib.import_module(f'lab.scenarios.{name}')
    more: dict[str, object] = {'only': only} if only else {}
    if moves is not None:
        more['moves'] = moves
    status: int = module.run(setup, report_folder(setup, name), **more)
    return status


def report_folder(setup: settings.Settings, name: str) -> pathlib.Path:
    """Make the folder of a report, named by the time."""
    stamp = time.strftime('%Y%m%d-%H%M%S')
    folder = setup.folder / 'reports' / f'{stamp}-{name}'
    folder.mkdir(parents=True)
    return folder
