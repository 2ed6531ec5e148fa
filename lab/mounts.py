# SPDX-License-Identifier: Apache-2.0
"""The mounts that programs in the tree need, and their end."""

import pathlib

from lab import settings
from lab import shell
from lab import stages


def mount(setup: settings.Settings) -> None:
    """Mount what programs in the tree need; repeating it changes nothing."""
    tree = setup.tree
    wanted: list[tuple[list[str], pathlib.Path]] = [
        (['-t', 'proc', 'proc'], tree / 'proc'),
        (['-t', 'sysfs', '-o', 'ro', 'sys'], tree / 'sys'),
        (['--bind', '/dev'], tree / 'dev'),
        (['-t', 'devpts', '-o', 'newinstance,ptmxmode=0666', 'devpts'],
         tree / 'dev/pts'),
        (['-t', 'tmpfs', 'tmpfs'], tree / 'run'),
        (['--bind', str(setup.checkout)], _inner(setup, setup.checkout)),
        (['--bind', str(setup.folder)], _inner(setup, setup.folder)),
    ]  # fmt: skip
    present = mounted(setup)
    for arguments, target in wanted:
        if target not in present:
            target.mkdir(parents=True, exist_ok=True)
            shell.run(['mount', *arguments, str(target)], timeout=30)


def mounted(setup: settings.Settings) -> list[pathlib.Path]:
    """Return what is mounted below the lab's folder, in that order."""
    lines = pathlib.Path('/proc/self/mounts').read_text().splitlines()
    targets = [
        pathlib.Path(line.split()[1].replace('\\040', ' ')) for line in lines
    ]
    return [target for target in targets if setup.folder in target.parents]


def unmount(setup: settings.Settings) -> None:
    """Undo every mount below the lab's folder."""
    for target in reversed(mounted(setup)):
        try:
            shell.run(['umount', str(target)], timeout=30)
        except shell.Failed:
            shell.run(['umount', '-l', str(target)], timeout=30)


def _inner(setup: settings.Settings, path: pathlib.Path) -> pathlib.Path:
    """Return where a path of this machine appears in the tree."""
    return setup.tree / path.relative_to('/')


STAGES = [
    stages.Stage(
        'mounts of the tree', mount, lambda setup: len(mounted(setup)) >= 7
    )
]
