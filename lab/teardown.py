# SPDX-License-Identifier: Apache-2.0
"""End the lab: whatever runs, is mounted or is a network of it.

It works from what is there, not from what was done, so it also cleans up
after a crash, and repeating it changes nothing.
"""

import os
import signal

from lab import lock
from lab import settings
from lab import shell
from lab.build import mounts
from lab.network import namespace

LAST = ('epmd', 'rabbit', 'mariadb')


def down(setup: settings.Settings, wipe: bool = False) -> None:
    """End everything.

    :param wipe: also delete all but the cache
    :raises shell.Failed: naming what is left
    """
    names = sorted(
        (path.stem for path in setup.run.glob('*.pid')),
        key=lambda name: (name in LAST, name),
    )
    for name in names:
        print(f'ending {name}')
        shell.stop(setup, name)
    _end_leftovers(setup)
    namespace.remove(setup)
    mounts.unmount(setup)
    left = mounts.mounted(setup)
    if left:
        raise shell.Failed(f'still mounted: {", ".join(map(str, left))}')
    if wipe:
        _wipe(setup)


def _end_leftovers(setup: settings.Settings) -> None:
    """End what is in the closed network, which nobody else can be in."""
    if not namespace.exists(setup):
        return

    def inhabitants() -> list[int]:
        listed = shell.run(['ip', 'netns', 'pids', setup.netns], timeout=30)
        return [int(pid) for pid in listed.split()]

    for pid in inhabitants():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    shell.wait_for('the end of all processes', lambda: not inhabitants(), 30)


def _wipe(setup: settings.Settings) -> None:
    # Whoever deletes the lock that he holds lets another command in.
    kept = (setup.cache, lock.path(setup))
    for path in setup.folder.iterdir():
        if path in kept:
            continue
        if path.is_dir() and not path.is_symlink():
            mounts.delete(setup, path)
        else:
            path.unlink()
