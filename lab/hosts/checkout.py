# SPDX-License-Identifier: Apache-2.0
"""Bring the checkout under test into the compute hosts.

It is installed into a folder which the hosts' Python environment names, so
a changed file is there in seconds, and no image is made anew.
"""

import pathlib
import shutil

from lab import settings
from lab import shell
from lab import stages
from lab.hosts import machine
from lab.hosts import provision

FOLDER = '/opt/pt-checkout'
SOURCES = ('nova_pt_migrate', 'pyproject.toml', 'setup.cfg', 'setup.py')
TEXTS = ('README.rst', 'LICENSE', 'requirements.txt')
# Tests that run in the hosts are needed there; a change of others is none.
UNUSED = ('nova_pt_migrate/tests/unit', 'nova_pt_migrate/tests/functional')
_CONTENT = 'content'
_VERSION = {'PBR_VERSION': '0.0.1', 'LC_ALL': 'C.UTF-8'}


def sync(setup: settings.Settings) -> None:
    """Install the checkout in all hosts; restart nova-compute where it runs.

    :raises shell.Failed: if it cannot be built
    """
    built = _build(setup)
    files = {
        str(path.relative_to(built)): path.read_bytes()
        for path in sorted(built.rglob('*'))
        if path.is_file()
    }
    files[_CONTENT] = content(setup).encode()
    for where in setup.hosts:
        machine.ssh(setup, where, f'rm -rf {FOLDER}; mkdir {FOLDER}', 60)
        provision.put(setup, where, files, FOLDER)
        machine.ssh(setup, where, _ACTIVATE, 60)
    # nova-compute itself may have ended, over a mistake in the checkout.
    if provision.runs(setup, provision.AGENTS):
        provision.restart_compute(setup)


def content(setup: settings.Settings) -> str:
    """Name the content of all files that make the package."""
    texts = {
        str(path.relative_to(setup.checkout)): path.read_text()
        for path in _files(setup)
    }
    return stages.digest(texts)


def synced(setup: settings.Settings) -> bool:
    """True if every host has the checkout as it is now."""
    wanted = content(setup)
    try:
        return all(
            machine.ssh(setup, where, f'cat {FOLDER}/{_CONTENT}', 60) == wanted
            for where in setup.hosts
        )
    except shell.Failed:
        return False


# Python reads the folders named in such a file as its own.
_ACTIVATE = (
    f'echo {FOLDER} > $(echo /opt/pt/lib/python3.*/site-packages)/checkout.pth'
)


def _files(setup: settings.Settings) -> list[pathlib.Path]:
    found = []
    for name in (*SOURCES, *TEXTS):
        path = setup.checkout / name
        paths = [path] if path.is_file() else sorted(path.rglob('*'))
        found += [path for path in paths if _is_source(setup, path)]
    return found


def _is_source(setup: settings.Settings, path: pathlib.Path) -> bool:
    unused = {setup.checkout / name for name in UNUSED}
    return (
        path.is_file()
        and '__pycache__' not in path.parts
        and unused.isdisjoint(path.parents)
    )


def _build(setup: settings.Settings) -> pathlib.Path:
    """Install a copy of the sources into a folder; the checkout stays clean.

    With its own modules for building, the tree needs no network for this.
    """
    folder = setup.state / 'checkout'
    if folder.exists():
        shutil.rmtree(folder)
    source, target = folder / 'source', folder / 'built'
    for path in _files(setup):
        copy = source / path.relative_to(setup.checkout)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    argv = [
        f'{setup.venv}/bin/pip', 'install', '-q', '--no-deps', '--no-index',
        '--no-build-isolation', '--root-user-action=ignore',
        '--target', str(target), str(source),
    ]  # fmt: skip
    log = setup.log / 'checkout.log'
    shell.run(shell.chroot(setup, argv), timeout=180, log=log, env=_VERSION)
    return target


STAGES = [
    stages.Stage('checkout in the hosts', sync, synced),
    provision.SERVICES_STAGE,
]
