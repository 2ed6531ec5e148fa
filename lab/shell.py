# SPDX-License-Identifier: Apache-2.0
"""Run programs: here, in the tree, in the closed network; each bounded."""

from collections.abc import Callable
from collections.abc import Sequence
import os
import pathlib
import signal
import subprocess
import time

from lab import settings

Setup = settings.Settings


class Failed(Exception):
    """A program failed, or something awaited did not come."""


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    input: str | None = None,
    log: pathlib.Path | None = None,
    env: dict[str, str] | None = None,
) -> str:
    """Run a program and return its output.

    :param timeout: seconds, after which it is killed
    :param log: file to which output and errors are added as well
    :raises Failed: with the end of what it said
    """
    try:
        done = subprocess.run(
            list(argv),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors='replace',
            timeout=timeout,
            check=False,
            env=None if env is None else {**os.environ, **env},
        )
    except subprocess.TimeoutExpired as exc:
        raise Failed(f'{_words(argv)}: no end after {timeout:g} s') from exc
    if log is not None:
        with log.open('a') as stream:
            stream.write(f'$ {_words(argv)}\n{done.stdout}{done.stderr}')
    if done.returncode:
        tail = '\n'.join((done.stdout + done.stderr).splitlines()[-15:])
        raise Failed(f'{_words(argv)}: exit status {done.returncode}\n{tail}')
    return done.stdout


def chroot(setup: Setup, argv: Sequence[str]) -> list[str]:
    """Return the command that runs ``argv`` in the tree."""
    return ['chroot', str(setup.tree), *argv]


def in_tree(setup: Setup, *argv: str | pathlib.Path) -> None:
    """Run a small program of the tree.

    :raises Failed: with the end of what it said
    """
    run(chroot(setup, [str(word) for word in argv]), timeout=120)


def in_netns(setup: Setup, argv: Sequence[str]) -> list[str]:
    """Return the command that runs ``argv`` in the closed network."""
    return ['ip', 'netns', 'exec', setup.netns, *argv]


def inside(setup: Setup, argv: Sequence[str]) -> list[str]:
    """Return the command that runs ``argv`` in the tree and its network."""
    return in_netns(setup, chroot(setup, argv))


def spawn(
    setup: Setup,
    name: str,
    argv: Sequence[str],
) -> int:
    """Start a program in a session of its own and return its process ID."""
    setup.run.mkdir(parents=True, exist_ok=True)
    setup.log.mkdir(parents=True, exist_ok=True)
    with (setup.log / f'{name}.log').open('a') as log:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (setup.run / f'{name}.pid').write_text(
        f'{process.pid} {_started(process.pid)}\n'
    )
    return process.pid


def alive(setup: Setup, name: str) -> bool:
    """True while the program that :func:`spawn` started runs."""
    return _pid(setup, name) is not None


def stop(setup: Setup, name: str, timeout: float = 15.0) -> None:
    """End a program and its children; nothing happens if it has ended."""
    pid = _pid(setup, name)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while _pid(setup, name) and time.monotonic() < deadline:
            time.sleep(0.1)
        if _pid(setup, name):
            _signal(pid, signal.SIGKILL)
    (setup.run / f'{name}.pid').unlink(missing_ok=True)


def wait_for(
    what: str, check: Callable[[], bool], seconds: float, every: float = 0.5
) -> None:
    """Wait until ``check`` is true.

    :raises Failed: naming what did not come
    """
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise Failed(f'{what}: not within {seconds:g} s')
        time.sleep(every)


def _pid(setup: Setup, name: str) -> int | None:
    """Return the process ID if that very process still runs."""
    path = setup.run / f'{name}.pid'
    try:
        pid, started = path.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if _started(int(pid)) == started else None


def _started(pid: int) -> str:
    """Return when a process began, so that a reused ID is told apart.

    Field 22 of proc_pid_stat(5); a zombie has ended.
    """
    try:
        stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 'ended'
    fields = stat.rpartition(')')[2].split()
    return 'ended' if fields[0] == 'Z' else fields[19]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _words(argv: Sequence[str]) -> str:
    text = ' '.join(argv)
    return text if len(text) < 200 else f'{text[:200]}...'
