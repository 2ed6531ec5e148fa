# SPDX-License-Identifier: Apache-2.0
"""Make small initial RAM disks and kernels from those of the tree."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import gzip
import lzma
import pathlib
import stat
import tempfile

from lab import settings
from lab import shell
from lab import stages

_DIRECTORIES = ('bin', 'dev', 'modules', 'proc', 'root', 'sys')
_ZSTD = b'\x28\xb5\x2f\xfd'
_ELF = b'\x7fELF'


@dataclasses.dataclass(frozen=True)
class Module:
    """A kernel module and the options to load it with."""

    name: str
    options: str = ''


def kernel(setup: settings.Settings) -> str:
    """Return the release of the tree's newest kernel.

    :raises shell.Failed: if the tree has none
    """
    found = sorted((setup.tree / 'boot').glob('vmlinuz-*'))
    if not found:
        raise shell.Failed(
            f'{setup.tree}/boot: no kernel; linux-image-amd64 is missing in '
            f'the tree, make it anew'
        )
    return found[-1].name.removeprefix('vmlinuz-')


def plain_kernel(setup: settings.Settings) -> bytes:
    """Return the ELF kernel inside the compressed one.

    QEMU starts it by PVH: nothing has to be decompressed in emulation.

    :raises shell.Failed: if there is none inside
    """
    path = setup.tree / 'boot' / f'vmlinuz-{kernel(setup)}'
    packed = path.read_bytes()
    place = packed.find(_ZSTD)
    while place >= 0:
        plain = _unpacked(setup, packed[place:])
        if plain.startswith(_ELF):
            return plain
        place = packed.find(_ZSTD, place + 1)
    raise shell.Failed(f'{path}: no zstd-compressed ELF kernel inside')


def _unpacked(setup: settings.Settings, packed: bytes) -> bytes:
    """Return what zstd makes of the text up to where it is no zstd."""
    setup.run.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=setup.run) as name:
        source, target = pathlib.Path(name, 'in'), pathlib.Path(name, 'out')
        source.write_bytes(packed)
        # More than the kernel is in there, so zstd ends with an error.
        script = f'zstd -dcfq {source} > {target} || true'
        shell.run(shell.chroot(setup, ['sh', '-c', script]), timeout=60)
        return target.read_bytes()


def build(
    setup: settings.Settings,
    init: pathlib.Path,
    modules: Sequence[Module],
    programs: Sequence[str] = (),
) -> bytes:
    """Return an initial RAM disk: busybox, an init, and modules in order.

    :param programs: paths in the tree of more programs, which come with all
        libraries that they need
    """
    busybox = (setup.tree / 'usr/bin/busybox').read_bytes()
    entries = [
        *((name, stat.S_IFDIR | 0o755, b'') for name in _DIRECTORIES),
        ('bin/busybox', stat.S_IFREG | 0o755, busybox),
        ('bin/sh', stat.S_IFLNK | 0o777, b'busybox'),
        ('init', stat.S_IFREG | 0o755, init.read_bytes()),
        *_with_libraries(setup, programs),
    ]
    order: dict[str, str] = {}
    for module in modules:
        for path in _needed(setup, module.name):
            name = path.name.removesuffix('.xz')
            if name not in order:
                text = _read(path)
                entries.append((f'modules/{name}', stat.S_IFREG | 0o644, text))
            order.setdefault(name, '')
        order[name] = module.options
    listed = ''.join(f'{name} {order[name]}\n' for name in order)
    entries.append(('modules/order', stat.S_IFREG | 0o644, listed.encode()))
    return gzip.compress(archive(entries), compresslevel=1, mtime=0)


def boot_files(
    setup: settings.Settings, name: str, modules: Sequence[Module]
) -> tuple[pathlib.Path, pathlib.Path]:
    """Return where a kernel and its initial RAM disk are, or will be.

    :param name: of the folder that has the RAM disk's init
    """
    init = (settings.FILES / name / 'init').read_text()
    content = stages.digest(kernel(setup), init, repr(modules))
    folder = setup.cache / f'boot-{content}'
    return folder / 'kernel', folder / 'initrd'


def build_boot_files(
    setup: settings.Settings, name: str, modules: Sequence[Module]
) -> None:
    """Unpack the kernel and make the RAM disk."""
    unpacked, initrd = boot_files(setup, name, modules)
    unpacked.parent.mkdir(parents=True, exist_ok=True)
    initrd.write_bytes(build(setup, settings.FILES / name / 'init', modules))
    unpacked.write_bytes(plain_kernel(setup))


def archive(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Return a cpio archive in the format that the kernel unpacks."""
    parts = []
    for number, (name, mode, content) in enumerate(entries, start=1):
        parts.append(_entry(number, name, mode, content))
    parts.append(_entry(0, 'TRAILER!!!', 0, b''))
    return b''.join(parts)


def _entry(number: int, name: str, mode: int, content: bytes) -> bytes:
    encoded = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0)
    head = b'070701' + b''.join(
        b'%08X' % field for field in (*fields, len(encoded), 0)
    )
    return _padded(head + encoded) + _padded(content)


def _padded(text: bytes) -> bytes:
    return text + b'\0' * (-len(text) % 4)


def _with_libraries(
    setup: settings.Settings, programs: Sequence[str]
) -> Iterator[tuple[str, int, bytes]]:
    """Give programs and libraries as entries, each after its folders."""
    if not programs:
        return
    printed = shell.run(shell.chroot(setup, ['ldd', *programs]), timeout=30)
    paths = {word for word in printed.split() if word.startswith('/')}
    names = sorted({path.strip(':/') for path in (*programs, *paths)})
    made = set(_DIRECTORIES)
    for name in names:
        for folder in reversed(pathlib.PurePath(name).parents):
            if str(folder) != '.' and str(folder) not in made:
                made.add(str(folder))
                yield str(folder), stat.S_IFDIR | 0o755, b''
        yield name, stat.S_IFREG | 0o755, (setup.tree / name).read_bytes()


def _needed(setup: settings.Settings, module: str) -> list[pathlib.Path]:
    """Return the files of a module and of those it needs, in order."""
    argv = ['modprobe', '-S', kernel(setup), '--show-depends', module]
    printed = shell.run(shell.chroot(setup, argv), timeout=30)
    return [
        setup.tree / line.split()[1].lstrip('/')
        for line in printed.splitlines()
        if line.startswith('insmod ')
    ]


def _read(path: pathlib.Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == '.xz' else content
