# SPDX-License-Identifier: Apache-2.0
"""The guest's image: a kernel, one script which bonds its NICs, an agent.

It boots from its disk like any image, because Nova migrates no other kind
block by block. What it does is in files/guest/init.
"""

import pathlib
import shutil
import tempfile

from lab import settings
from lab import shell
from lab import stages
from lab.build import initramfs

MODULES = (
    initramfs.Module('virtio_net'),
    initramfs.Module('igbvf'),
    initramfs.Module('bonding', 'max_bonds=0'),
    initramfs.Module('virtio_console'),
    # For scenario standbys: a second sender, and a DHCP client.
    initramfs.Module('macvlan'),
    initramfs.Module('af_packet'),
)
PROGRAMS = ('/usr/sbin/qemu-ga',)
SIZE = 32  # MiB
BOOT = """\
DEFAULT guest
PROMPT 0
TIMEOUT 0
LABEL guest
 KERNEL vmlinuz
 APPEND initrd=initrd console=ttyS0 quiet panic=1 audit=0 net.ifnames=0 \
mitigations=off tsc=reliable{words}
"""
DEAF = ' acpiphp.disable=1 pcie_ports=compat'
"""What makes a kernel deaf to hot-plug: it releases no device."""


def image(setup: settings.Settings, words: str = '') -> pathlib.Path:
    """Return where the image is, or will be, in the cache.

    :param words: added to the kernel's command line
    """
    init = (settings.FILES / 'guest' / 'init').read_text()
    content = stages.digest(
        initramfs.kernel(setup),
        init,
        BOOT + words,
        SIZE,
        repr(MODULES),
        PROGRAMS,
    )
    return setup.cache / f'guest-{content}.qcow2'


def build(setup: settings.Settings, words: str = '') -> None:
    """Make the image: a FAT file system with a boot loader, no table."""
    setup.run.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=setup.run) as name:
        folder = pathlib.Path(name)
        disk = _disk(setup, folder, words)
        packed = folder / 'disk.qcow2'
        shell.in_tree(
            setup, 'qemu-img', 'convert', '-O', 'qcow2', disk, packed
        )
        setup.cache.mkdir(parents=True, exist_ok=True)
        packed.rename(image(setup, words))


def _disk(
    setup: settings.Settings, folder: pathlib.Path, words: str
) -> pathlib.Path:
    init = settings.FILES / 'guest' / 'init'
    (folder / 'initrd').write_bytes(
        initramfs.build(setup, init, MODULES, PROGRAMS)
    )
    (folder / 'syslinux.cfg').write_text(BOOT.format(words=words))
    boot = setup.tree / 'boot' / f'vmlinuz-{initramfs.kernel(setup)}'
    shutil.copyfile(boot, folder / 'vmlinuz')
    disk = folder / 'disk.img'
    shell.in_tree(setup, 'mkfs.vfat', '-C', disk, str(SIZE * 1024))
    shell.in_tree(setup, 'syslinux', '--install', disk)
    for name in ('vmlinuz', 'initrd', 'syslinux.cfg'):
        shell.in_tree(setup, 'mcopy', '-i', disk, folder / name, f'::/{name}')
    return disk


STAGES = [
    stages.Stage(
        'guest',
        run=build,
        done=lambda setup: image(setup).exists(),
    )
]
