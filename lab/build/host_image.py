# SPDX-License-Identifier: Apache-2.0
"""The disk image and kernel of the compute hosts, made from the tree.

One image serves all hosts: what differs comes by the kernel's command line
and, later, as configuration files (see lab.hosts.provision).
"""

from collections.abc import Iterator
import os
import pathlib
import shutil

from lab import settings
from lab import stages
from lab.build import disk as disks
from lab.build import initramfs

SIZE = '6G'  # sparse: it takes what is in it
MODULES = tuple(
    initramfs.Module(name)
    for name in ('virtio_net', 'virtio_blk', 'crc32c_generic', 'ext4')
)

# Mounts, what only the control plane or the building needs, and what nobody
# reads in there. The folder itself stays.
EMPTY = (
    'boot',
    'dev',
    'proc',
    'run',
    'sys',
    'tmp',
    'usr/lib/erlang',
    'usr/lib/gcc',
    'usr/lib/rabbitmq',
    'usr/share/doc',
    'usr/share/info',
    'usr/share/locale',
    'usr/share/man',
    'usr/share/mariadb',
    'var/cache/apt',
    'var/lib/apt/lists',
    'var/lib/mysql',
    'var/lib/rabbitmq',
    'var/log',
)
# The names and keys of this machine, and locally wanted networks.
ABSENT = (
    'etc/hostname',
    'etc/libvirt/qemu/networks/autostart',
    'usr/sbin/mariadbd',
    'usr/sbin/policy-rc.d',
)
ENABLED = ('libvirtd.service', 'libvirtd-tcp.socket', 'pt-devices.service')
MASKED = (
    *disks.QUIET,
    'epmd.service',
    'epmd.socket',
    'ldconfig.service',
    'libvirt-guests.service',
    'logrotate.timer',
    'mariadb.service',
    'rabbitmq-server.service',
    'serial-getty@ttyS0.service',
    'systemd-firstboot.service',
    'systemd-update-done.service',
)


def disk(setup: settings.Settings) -> pathlib.Path:
    """Return where the hosts' disk image is, or will be, in the cache."""
    return setup.cache / f'host-{_content(setup)}.ext4'


def boot_files(setup: settings.Settings) -> tuple[pathlib.Path, pathlib.Path]:
    """Return the hosts' kernel and initial RAM disk in the cache."""
    return initramfs.boot_files(setup, 'machine', MODULES)


def build_boot_files(setup: settings.Settings) -> None:
    """Unpack the kernel and make the RAM disk that mounts the root disk."""
    initramfs.build_boot_files(setup, 'machine', MODULES)


def build_disk(setup: settings.Settings) -> None:
    """Make the disk image from a copy of the tree that is all links."""
    copy = setup.folder / 'host-tree'
    if copy.exists():
        shutil.rmtree(copy)
    link_tree(setup.tree, copy, _left_out(setup))
    for name in ABSENT:
        disks.remove(copy / name)
    _overlay(copy)
    disks.configure_units(setup, copy, ENABLED, MASKED)
    disks.pack(setup, copy, disk(setup), SIZE)


def link_tree(
    source: pathlib.Path, target: pathlib.Path, left_out: frozenset[str]
) -> None:
    """Copy a tree by hard links.

    :param left_out: folders, as paths in the tree, that become empty
    """
    target.mkdir()
    for folder, folders, files in os.walk(source):
        here = pathlib.Path(folder).relative_to(source)
        _like(source / here, target / here)
        if str(here) in left_out:
            folders.clear()
            continue
        for name in folders:
            if (source / here / name).is_symlink():
                files.append(name)
            else:
                (target / here / name).mkdir()
        for name in files:
            os.link(
                source / here / name,
                target / here / name,
                follow_symlinks=False,
            )


def _like(source: pathlib.Path, target: pathlib.Path) -> None:
    status = source.stat()
    os.chown(target, status.st_uid, status.st_gid)
    shutil.copystat(source, target)


def _left_out(setup: settings.Settings) -> frozenset[str]:
    """Return the folders to leave out, with those bound into the tree."""
    bound = (setup.folder, setup.checkout)
    return frozenset((*EMPTY, *(str(path).lstrip('/') for path in bound)))


def _overlay(copy: pathlib.Path) -> None:
    """Put our files in; never through a link, which would change the tree."""
    for source in _files():
        target = copy / source.relative_to(settings.FILES / 'host')
        disks.remove(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        os.chown(target, 0, 0)
    for name in ('etc/resolv.conf', 'etc/machine-id'):
        # Absent, the machine ID would make systemd enable every unit.
        disks.remove(copy / name)
        (copy / name).touch()
    (copy / 'var/log/libvirt').mkdir()


def _files() -> Iterator[pathlib.Path]:
    paths = sorted((settings.FILES / 'host').rglob('*'))
    return (path for path in paths if path.is_file())


def _content(setup: settings.Settings) -> str:
    """Name what the image is made from: packages of both kinds, and us."""
    packages = (setup.tree / 'var/lib/dpkg/status').read_text()
    venv = setup.tree / setup.venv.lstrip('/')
    python = sorted(path.name for path in venv.glob('lib/*/*/*.dist-info'))
    ours = [[str(path), path.read_text()] for path in _files()]
    code = pathlib.Path(__file__).read_text()
    return stages.digest(packages, python, ours, code)


STAGES = [
    stages.Stage(
        'kernel of the hosts',
        run=build_boot_files,
        done=lambda setup: boot_files(setup)[0].exists(),
    ),
    stages.Stage(
        'image of the hosts',
        run=build_disk,
        done=lambda setup: disk(setup).exists(),
    ),
]
