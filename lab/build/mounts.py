# SPDX-License-Identifier: Apache-2.0
"""The mounts that programs in the tree need, and their end."""

import os
import pathlib
import shutil
import stat
import uuid

from lab import settings
from lab import shell
from lab import stages

# Numbers: Documentation/admin-guide/devices.txt of the kernel.
NODES = {
    'null': (1, 3),
    'zero': (1, 5),
    'full': (1, 7),
    'random': (1, 8),
    'urandom': (1, 9),
    'tty': (5, 0),
    'kvm': (10, 232),
    'net/tun': (10, 200),
}
LINKS = {
    'fd': '/proc/self/fd',
    'ptmx': 'pts/ptmx',
    'stderr': '/proc/self/fd/2',
    'stdin': '/proc/self/fd/0',
    'stdout': '/proc/self/fd/1',
}


def mount(setup: settings.Settings) -> None:
    """Mount what programs in the tree need; repeating it changes nothing.

    What belongs to the machine can only be read there, so that nothing that
    goes wrong in the tree, its deletion included, reaches the checkout.
    """
    tree = setup.tree
    checkout = _inner(setup, setup.checkout)
    present = mounted(setup)
    for arguments, target in (
        (['-t', 'proc', 'proc'], tree / 'proc'),
        (['-t', 'sysfs', '-o', 'ro', 'sys'], tree / 'sys'),
        (['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs'], tree / 'dev'),
        (['-t', 'tmpfs', 'tmpfs'], tree / 'run'),
        (['--bind', str(setup.checkout)], checkout),
        (['--bind', str(setup.folder)], _inner(setup, setup.folder)),
    ):
        if target in present:
            continue
        target.mkdir(parents=True, exist_ok=True)
        shell.run(['mount', *arguments, str(target)], timeout=30)
        if target == checkout:
            shell.run(
                ['mount', '-o', 'remount,bind,ro', str(target)], timeout=30
            )
    _make_devices(tree / 'dev')


def _make_devices(folder: pathlib.Path) -> None:
    """Make the device nodes that the daemons and QEMU open."""
    for name, (major, minor) in NODES.items():
        node = folder / name
        if not node.exists():
            node.parent.mkdir(exist_ok=True)
            os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
            node.chmod(0o666)
    for name, target in LINKS.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    for name, arguments in (
        ('shm', ['-t', 'tmpfs', 'tmpfs']),
        ('pts', ['-t', 'devpts', '-o', 'newinstance,ptmxmode=0666', 'pts']),
    ):
        if not (folder / name).is_mount():
            (folder / name).mkdir(exist_ok=True)
            shell.run(['mount', *arguments, str(folder / name)], timeout=30)


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


def delete(setup: settings.Settings, folder: pathlib.Path) -> None:
    """Delete a folder, and never what is mounted in it.

    The checkout is bound into the tree. So it gets another name first,
    below which nobody mounts, and is then looked at.

    :raises shell.Failed: if something is mounted in it; nothing is deleted
    """
    doomed = setup.folder / f'deleting-{uuid.uuid4()}'
    folder.rename(doomed)
    left = [target for target in mounted(setup) if doomed in target.parents]
    if left:
        raise shell.Failed(
            f'{doomed}: not deleted, there are mounts in it: '
            f'{", ".join(map(str, left))}; python3 -m lab down ends them'
        )
    shutil.rmtree(doomed)


def _inner(setup: settings.Settings, path: pathlib.Path) -> pathlib.Path:
    """Return where a path of this machine appears in the tree."""
    return setup.tree / path.relative_to('/')


STAGES = [
    stages.Stage(
        'mounts of the tree', mount, lambda setup: len(mounted(setup)) >= 8
    )
]
