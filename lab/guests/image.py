# SPDX-License-Identifier: Apache-2.0
"""The disks of the guests: Debian with cloud-init, agent and one manager.

All are made from one small tree that has what they share. The kernel's
modules are those of the lab's own tree, with whose kernel the guests start.
"""

import pathlib
import shutil

from lab import settings
from lab import shell
from lab import stages
from lab.build import disk as disks
from lab.build import initramfs
from lab.build import tree
from lab.guests import managers

SIZE = '3G'  # sparse: it takes what is in it
SHARED = (
    'cloud-init',
    'iputils-ping',
    'qemu-guest-agent',
)
REMOVED = (
    'etc/apt/apt.conf.d/90lab',
    'etc/hostname',
    'etc/resolv.conf',
    'usr/sbin/policy-rc.d',
    'var/cache/apt',
    'var/lib/apt/lists',
)
ARCHIVES = 'var/cache/apt/archives'
# Mounts that end with the program that needs them.
_WITH_MOUNTS = """\
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/$3"
folder=$1
shift 3
exec chroot "$folder" "$@"
"""


def disk(setup: settings.Settings, manager: managers.Manager) -> pathlib.Path:
    """Return where a guest's disk is, or will be, in the cache."""
    return (
        setup.cache / f'guest-{manager.name}-{_content(setup, manager)}.ext4'
    )


def build(setup: settings.Settings, manager: managers.Manager) -> None:
    """Make the disk of the guest with a manager."""
    base = _base(setup)
    folder = setup.folder / 'guests' / manager.name
    if folder.exists():
        shutil.rmtree(folder)
    shell.run(['cp', '-a', '--reflink=auto', str(base), str(folder)],
              timeout=300)  # fmt: skip
    _install(setup, folder, manager.packages)
    modules = pathlib.Path('usr/lib/modules', initramfs.kernel(setup))
    (folder / modules.parent).mkdir(exist_ok=True)
    shell.run(['cp', '-a', '--reflink=auto', str(setup.tree / modules),
               str(folder / modules)], timeout=300)  # fmt: skip
    _configure(setup, folder, manager)
    disks.pack(setup, folder, disk(setup, manager), SIZE)


def _base(setup: settings.Settings) -> pathlib.Path:
    """Return the tree with what all guests have, made if need be."""
    folder = setup.folder / 'guests' / 'base'
    content = stages.digest(tree.SUITE, tree.BASE, SHARED)
    if stages.stamped(setup, 'guests', content):
        return folder
    if folder.exists():
        shutil.rmtree(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    tree.bootstrap(setup, folder, f'/{ARCHIVES}')
    _apt(setup, folder, 'update', '-q')
    _install(setup, folder, SHARED)
    stages.stamp(setup, 'guests', content)
    return folder


def _install(
    setup: settings.Settings, folder: pathlib.Path, packages: tuple[str, ...]
) -> None:
    if packages:
        _apt(setup, folder, 'install', '-y', '-q', '--no-install-recommends',
             *packages)  # fmt: skip


def _apt(setup: settings.Settings, folder: pathlib.Path, *words: str) -> None:
    argv = ['unshare', '--mount', 'sh', '-euc', _WITH_MOUNTS, 'sh',
            str(folder), str(tree.debs(setup)), ARCHIVES]  # fmt: skip
    shell.run(
        [*argv, 'apt-get', *words],
        timeout=1800,
        log=setup.log / 'tree.log',
        env={'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C.UTF-8'},
    )


def _configure(
    setup: settings.Settings, folder: pathlib.Path, manager: managers.Manager
) -> None:
    for name in REMOVED:
        disks.remove(folder / name)
    # Absent, the machine ID would make systemd enable every unit.
    for name in ('etc/machine-id', 'etc/resolv.conf'):
        (folder / name).write_text('')
    shutil.copytree(
        settings.FILES / 'guests' / 'disk', folder, dirs_exist_ok=True
    )
    disks.configure_units(setup, folder, manager.units, disks.QUIET)


def _content(setup: settings.Settings, manager: managers.Manager) -> str:
    paths = sorted((settings.FILES / 'guests' / 'disk').rglob('*'))
    files = [[str(p), p.read_text()] for p in paths if p.is_file()]
    code = pathlib.Path(__file__).read_text()
    return stages.digest(initramfs.kernel(setup), repr(manager), files, code)
