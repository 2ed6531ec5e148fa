# SPDX-License-Identifier: Apache-2.0
"""Make a disk of a folder that has a Debian in it."""

from collections.abc import Sequence
import pathlib
import shutil

from lab import settings
from lab import shell

QUIET = (
    'apt-daily-upgrade.timer',
    'apt-daily.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'e2scrub_reap.service',
    'fstrim.timer',
    'getty@tty1.service',
    'systemd-pstore.service',
)
"""Units that nobody needs in the lab."""


def remove(path: pathlib.Path) -> None:
    """Delete a file, a link or a folder; nothing happens without it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def configure_units(
    setup: settings.Settings,
    folder: pathlib.Path,
    enabled: Sequence[str],
    masked: Sequence[str],
) -> None:
    """Say which units start with what boots from a folder."""
    systemctl = ['systemctl', '-q', f'--root={folder}']
    for words in (
        ['set-default', 'multi-user.target'],
        *([['enable', *enabled]] if enabled else []),
        ['mask', '--force', *masked],
    ):
        shell.run(shell.chroot(setup, [*systemctl, *words]), timeout=60)


def pack(
    setup: settings.Settings,
    folder: pathlib.Path,
    target: pathlib.Path,
    size: str,
) -> None:
    """Turn a folder into a disk, in place of older ones of its kind.

    :param folder: is deleted when the disk is there
    :param target: its name ends with a dash and what it is made from
    """
    unfinished = target.with_suffix('.unfinished')
    unfinished.unlink(missing_ok=True)
    options = ['-q', '-F', '-O', '^has_journal', '-d', str(folder)]
    argv = ['mkfs.ext4', *options, str(unfinished), size]
    shell.run(shell.chroot(setup, argv), timeout=600)
    kind = target.name.rpartition('-')[0]
    for older in target.parent.glob(f'{kind}-*{target.suffix}'):
        older.unlink()
    unfinished.rename(target)
    shutil.rmtree(folder)
