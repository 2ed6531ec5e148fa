#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that every import goes in a direction that tools/rooms.toml allows.

usage: tools/check-imports.py [--write]

The ruff.toml of each room lets the lint say the same while code is written;
``--write`` writes them. Each import that a room must not have is shown to
ruff as if it stood in a file of the room, and ruff has to name it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
import dataclasses
import graphlib
import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUFF = pathlib.Path(sys.executable).with_name('ruff')
FREE = ('nova_pt_migrate.tests',)
"""Imports what it wants, and is imported by no room."""


@dataclasses.dataclass(frozen=True)
class Room:
    """One table of rooms.toml.

    :ivar imports: names of the rooms that it may import
    :ivar without: packages of others that it may not import, or ``*``
    """

    name: str
    about: str
    imports: tuple[str, ...]
    without: tuple[str, ...]


def read(text: str) -> dict[str, Room]:
    """Return the rooms of a table, by name.

    :raises ValueError: a room is imported that there is not, or a circle
    """
    rooms = {
        name: Room(
            name,
            each['about'],
            tuple(each['imports']),
            tuple(each.get('without', ())),
        )
        for name, each in tomllib.loads(text).items()
    }
    unknown = {name for room in rooms.values() for name in room.imports}
    if unknown - set(rooms):
        raise ValueError(f'no such room: {sorted(unknown - set(rooms))}')
    graph = {room.name: room.imports for room in rooms.values()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as exc:
        raise ValueError(f'rooms in a circle: {exc.args[1]}') from exc
    return rooms


def packages(rooms: dict[str, Room]) -> set[str]:
    """Return the packages that have rooms."""
    return {name.partition('.')[0] for name in rooms}


def sources(
    root: pathlib.Path, rooms: dict[str, Room]
) -> Iterator[tuple[pathlib.Path, ast.Module]]:
    """Yield path and content of each module of those packages."""
    for top in sorted(packages(rooms)):
        for path in sorted((root / top).rglob('*.py')):
            yield path, ast.parse(path.read_text())


def room_of(name: str, rooms: dict[str, Room]) -> str:
    """Return the innermost room that a module is in, or an empty string."""
    while name and name not in rooms:
        name = name.rpartition('.')[0]
    return name


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of all that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f'{node.module}.{alias.name}'


def wrong_imports(root: pathlib.Path, rooms: dict[str, Room]) -> list[str]:
    """Return a sentence for each import that the table does not allow."""
    wrong = []
    for path, tree in sources(root, rooms):
        where = path.relative_to(root)
        name = '.'.join(where.with_suffix('').parts).removesuffix('.__init__')
        found = list(imported(tree))
        if name.startswith(FREE) or not found:
            continue
        room = rooms.get(room_of(name, rooms))
        if room is None:
            wrong.append(f'{where}: say in rooms.toml what room this is')
            continue
        wrong += [
            f'{where}:{line}: {room.name} must not import {target}'
            for line, target in found
            if not _is_allowed(target, room, rooms)
        ]
    return wrong


def _is_allowed(target: str, room: Room, rooms: dict[str, Room]) -> bool:
    top = target.partition('.')[0]
    if top in packages(rooms):
        other = room_of(target, rooms)
        return other in (room.name, *room.imports)
    if top in sys.stdlib_module_names:
        return True
    return '*' not in room.without and top not in room.without


def foreign(root: pathlib.Path, rooms: dict[str, Room]) -> set[str]:
    """Return the packages of others that a room imports, or is forbidden."""
    named = {name for room in rooms.values() for name in room.without} - {'*'}
    tops = {
        name.partition('.')[0]
        for path, tree in sources(root, rooms)
        if 'tests' not in path.parts
        for _, name in imported(tree)
    }
    return (tops | named) - sys.stdlib_module_names - packages(rooms)


def folders(rooms: dict[str, Room]) -> dict[str, Room]:
    """Return what holds for each folder that has a ruff.toml, by its name.

    Modules that are rooms share the one of their folder, which forbids what
    is forbidden to all of them.
    """
    found: dict[str, Room] = {}
    for room in rooms.values():
        if (ROOT / room.name.replace('.', '/')).is_dir():
            found[room.name] = room
            continue
        parent = room.name.rpartition('.')[0]
        if parent in packages(rooms):
            continue
        known = found.get(parent)
        found[parent] = Room(
            parent,
            'the modules beside the rooms',
            tuple({*room.imports, *(known.imports if known else ())}),
            room.without,
        )
    return found


def banned(room: Room, rooms: dict[str, Room], others: set[str]) -> list[str]:
    """Return what must not be imported in a folder.

    A package of ours of which it may import nothing is named as a whole.
    """
    names = others if '*' in room.without else set(room.without)
    entered = {name.partition('.')[0] for name in (room.name, *room.imports)}
    rest = {
        name if (top := name.partition('.')[0]) in entered else top
        for name in {*rooms, *FREE} - set(room.imports)
    }
    return sorted(
        name
        for name in names | rest
        if name != room.name and not name.startswith(f'{room.name}.')
    )


def ruff_toml(room: Room, bans: list[str]) -> str:
    """Return the text of a folder's ruff.toml."""
    up = '../' * len(room.name.split('.'))
    return '\n'.join(
        [
            '# Written from tools/rooms.toml by tools/check-imports.py.',
            f'# {room.name}: {room.about}',
            f'extend = "{up}pyproject.toml"',
            '',
            '[lint.flake8-tidy-imports.banned-api]',
            *(f'"{name}".msg = "see tools/rooms.toml"' for name in bans),
            '',
        ]
    )


def unnoticed(room: Room, names: list[str]) -> list[str]:
    """Return what ruff lets pass in a folder though it is banned there."""
    done = subprocess.run(
        [
            RUFF, 'check', '--no-cache', '--output-format', 'json',
            '--select', 'TID251', '--stdin-filename',
            ROOT / room.name.replace('.', '/') / 'planted.py', '-',
        ],
        cwd=ROOT,
        input=''.join(f'import {name}.planted\n' for name in names),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        sys.exit(f'ruff cannot check room {room.name}: {done.stderr}')
    rows = {found['location']['row'] for found in json.loads(done.stdout)}
    return [name for row, name in enumerate(names, 1) if row not in rows]


def main() -> int:
    """Check, or write; 1 if an import or a file is wrong."""
    rooms = read((ROOT / 'tools/rooms.toml').read_text())
    wrong = wrong_imports(ROOT, rooms)
    others = foreign(ROOT, rooms)
    for room in folders(rooms).values():
        bans = banned(room, rooms, others)
        path = ROOT / room.name.replace('.', '/') / 'ruff.toml'
        text = ruff_toml(room, bans)
        if '--write' in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            wrong.append(f'{path}: run tools/check-imports.py --write')
        wrong += [f'{path} lets {x} pass' for x in unnoticed(room, bans)]
    print('\n'.join(wrong), end='\n' if wrong else '')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
