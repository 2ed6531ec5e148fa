# SPDX-License-Identifier: Apache-2.0
"""The parts that are programs of others: lint, types and documents."""

import subprocess
import time

from tools.runner import crew
from tools.runner import environment
from tools.runner import screen

ROOT = environment.ROOT
TEXTS = (
    'doc/source',
    'README.rst',
    'CONTRIBUTING.rst',
    'HACKING.rst',
    'lab/README.rst',
)


def scripts() -> list[str]:
    """Return the shell scripts that git knows."""
    return [
        name
        for name in _known('devstack', 'tools', 'lab')
        if 'sh' in (ROOT / name).read_bytes()[:30].split(b'\n')[0].decode()
    ]


def programs() -> list[str]:
    """Return the programs in tools/ that are written in Python."""
    return [
        name
        for name in _known('tools')
        if not name.startswith('tools/runner/')
        and (
            name.endswith('.py')
            or 'python' in (ROOT / name).read_text().partition('\n')[0]
        )
    ]


def _known(*folders: str) -> list[str]:
    done = subprocess.run(
        ['git', 'ls-files', *folders],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def commands(part: str) -> list[list[str]]:
    """Return the programs of a part."""
    if part == 'types':
        return [
            ['mypy', 'nova_pt_migrate', 'lab', 'benchmarks', 'examples'],
            ['mypy', '-p', 'tools.runner'],
            ['mypy', '--scripts-are-modules', *programs()],
        ]
    if part == 'docs':
        build = ['sphinx-build', '-q', '-W', '--keep-going', '-b', 'html']
        return [
            ['pip', 'install', '-q', '--disable-pip-version-check', '-r',
             'doc/requirements.txt'],
            [*build, 'doc/source', 'doc/build/html'],
            [*build, 'releasenotes/source', 'releasenotes/build/html'],
        ]  # fmt: skip
    return [
        ['ruff', 'check', '.'],
        ['ruff', 'format', '--check', '--quiet', '.'],
        ['flake8', '.'],
        ['bashate', '-iE006,E044', *scripts()],
        ['doc8', '-q', *TEXTS],
        ['sphinx-lint', '--enable=default-role', *TEXTS],
        ['codespell', 'nova_pt_migrate', 'lab', 'doc/source',
         'releasenotes/notes', 'README.rst', 'devstack', 'examples'],
        ['python', 'tools/check-releasenotes.py'],
        ['python', 'tools/check-imports.py'],
    ]  # fmt: skip


def run(part: str, deadline: float, show: screen.Screen) -> bool:
    """Run all programs of a part; True if all of them passed.

    :param deadline: on the monotonic clock; what runs then is ended.
    """
    passed = True
    for argv in commands(part):
        line = ' '.join(argv)
        line = line if len(line) < 60 else f'{line[:56]} ...'
        show.doing(line)
        begin = time.monotonic()
        said = complaint(argv, deadline)
        seconds = time.monotonic() - begin
        word = 'passed' if said is None else 'FAILED'
        show.say(f'{word} {seconds:6.1f} s  {line}')
        if said is not None:
            show.say(said, 'red')
            passed = False
    return passed


def complaint(argv: list[str], deadline: float) -> str | None:
    """Run a program, and return what it said if it did not pass.

    Neither it nor what it started is left.

    :param deadline: on the monotonic clock; it is ended then.
    """
    process = subprocess.Popen(
        [environment.BIN / argv[0], *argv[1:]],
        cwd=ROOT,
        env=environment.of_programs(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    late = ''
    try:
        said, _ = process.communicate(
            timeout=max(0.0, deadline - time.monotonic())
        )
    except subprocess.TimeoutExpired as exc:
        said = exc.output or b''
        late = '\nIt was ended by the time limit of the whole run.'
    finally:
        crew.end_group(process)
    if process.returncode == 0:
        return None
    return said.decode(errors='replace').rstrip('\n') + late
