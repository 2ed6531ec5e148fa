#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that the lint finds every import in a wrong direction.

The rules are in the ruff.toml of each room. Here each import that must not be
is shown to ruff as if it were in a file of the room, and ruff has to name it;
the allowed ones are shown too, and have to pass.
"""

import ast
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'nova_pt_migrate'
RUFF = pathlib.Path(sys.executable).with_name('ruff')
ALLOWED = {
    'core': set[str](),
    'guest': {'core'},
    'host': {'core'},
    'pairing': {'core'},
    'compute': {'conf', 'core', 'guest', 'host', 'pairing'},
}
FREE = {'testing', 'tests'}
ROOMS = {'conf', *ALLOWED, *FREE}


def rooms() -> list[str]:
    """Return the rooms that there are and whose imports are restricted."""
    found = {path.parent.name for path in PACKAGE.glob('*/__init__.py')}
    return sorted(found - FREE)


def foreign() -> set[str]:
    """Return the packages of others that any room imports."""
    names = {'libvirt', 'nova'}
    for room in rooms():
        for path in (PACKAGE / room).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module)
    tops = {name.partition('.')[0] for name in names}
    return tops - sys.stdlib_module_names - {PACKAGE.name}


def forbidden(room: str) -> list[str]:
    """Return the import statements that must not pass in a room."""
    packages = {
        'compute': set[str](),
        'core': foreign(),
        'pairing': {'libvirt', 'nova'},
    }.get(room, {'nova'})
    others = ROOMS - ALLOWED[room] - {room}
    return [f'import {name}.planted' for name in sorted(packages)] + [
        f'from {PACKAGE.name} import {other}' for other in sorted(others)
    ]


def named(room: str, statements: list[str]) -> set[str]:
    """Return those statements that ruff finds wrong in a room."""
    done = subprocess.run(
        [
            RUFF, 'check', '--no-cache', '--output-format', 'json',
            '--select', 'TID251',
            '--stdin-filename', PACKAGE / room / 'planted.py', '-',
        ],
        cwd=ROOT,
        input='\n'.join(statements),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        sys.exit(f'ruff cannot check room {room}: {done.stderr}')
    rows = [found['location']['row'] for found in json.loads(done.stdout)]
    return {statements[row - 1] for row in rows}


def complaints(room: str) -> list[str]:
    """Return a sentence for each rule of a room that does not hold."""
    if room not in ALLOWED:
        return [f'say in {__file__} what room {room} may import']
    wrong = forbidden(room)
    right = [f'from {PACKAGE.name} import {name}' for name in ALLOWED[room]]
    found = named(room, [*wrong, *right])
    where = f'{PACKAGE.name}/{room}/ruff.toml'
    return [
        f'{where} lets pass "{line}"; ban it'
        for line in wrong
        if line not in found
    ] + [
        f'{where} bans "{line}", which is allowed'
        for line in right
        if line in found
    ]


def main() -> int:
    """Check all rooms; 1 if one rule does not hold."""
    wrong = [text for room in rooms() for text in complaints(room)]
    print('\n'.join(wrong), end='\n' if wrong else '')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
