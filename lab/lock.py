# SPDX-License-Identifier: Apache-2.0
"""One command at a time may change a lab."""

from collections.abc import Iterator
import contextlib
import fcntl
import os
import pathlib

from lab import settings
from lab import shell


def path(setup: settings.Settings) -> pathlib.Path:
    """Return the file that is locked, which must outlive every wipe."""
    return setup.folder / 'lock'


@contextlib.contextmanager
def held(setup: settings.Settings) -> Iterator[None]:
    """Keep other commands from changing the lab; it ends with the process.

    :raises shell.Failed: if another command does so, naming its process
    """
    setup.folder.mkdir(parents=True, exist_ok=True)
    with path(setup).open('a+') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            raise shell.Failed(
                f'{setup.folder}: process {file.read().strip()} is changing '
                f'this lab; wait until it has ended, or end it'
            ) from exc
        file.truncate(0)
        file.write(f'{os.getpid()}\n')
        file.flush()
        yield
