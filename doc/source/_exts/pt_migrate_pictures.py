# SPDX-License-Identifier: Apache-2.0
"""Directives for the pictures of the rooms and of the way through them.

``pt-rooms`` draws the rooms of a package as ``tools/rooms.toml`` has them,
and lists them. ``pt-way`` draws a step for each line of its content,
``host | phase | rooms | words``; a room or phase that there is not is an
error. ``pt-order`` draws the stages of a hand-over on both hosts, as
:mod:`nova_pt_migrate.core.order` has them.
"""

from collections.abc import Iterator
import pathlib
import tomllib
from typing import Any

from docutils import nodes
import pt_migrate_tables
import rooms_picture
from sphinx.util import docutils
import way_picture

from nova_pt_migrate.core import order
from nova_pt_migrate.core import phase_names

ROOT = pathlib.Path(__file__).parents[3]
ROOMS = ROOT / 'tools/rooms.toml'


class Rooms(docutils.SphinxDirective):
    """The rooms of a package; those further in count as the one around."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture, and the table of all imports."""
        self.env.note_dependency(str(ROOMS))
        package = self.arguments[0]
        rooms = {
            name: each
            for name, each in tomllib.loads(ROOMS.read_text()).items()
            if name.startswith(f'{package}.')
        }
        imports: dict[str, set[str]] = {}
        for name, each in rooms.items():
            room = _short(name, package)
            imports.setdefault(room, set()).update(
                _short(other, package)
                for other in each['imports']
                if other in rooms and _short(other, package) != room
            )
        folder = ROOT / package.replace('.', '/')
        to_come = {
            room
            for room in imports
            if not (folder / f'{room}.py').exists()
            and len(list((folder / room).rglob('*.py'))) < 2
        }
        return [
            _picture(
                rooms_picture.draw(
                    {r: frozenset(other) for r, other in imports.items()},
                    to_come,
                )
            ),
            *self.parse_text_to_nodes(
                '\n'.join(
                    pt_migrate_tables.list_table(
                        '16 50 34', _rows(package, rooms, imports, to_come)
                    )
                )
            ),
        ]


def _rows(
    package: str,
    rooms: dict[str, Any],
    imports: dict[str, set[str]],
    to_come: set[str],
) -> Iterator[tuple[str, ...]]:
    yield 'room', 'what is in it', 'may import, of these'
    for room, others in imports.items():
        about = rooms.get(f'{package}.{room}', {}).get('about')
        yield (
            f'``{room}``' + (' (to come)' if room in to_come else ''),
            about or 'rooms of its own',
            ', '.join(f'``{other}``' for other in sorted(others)) or 'none',
        )


def _short(name: str, package: str) -> str:
    return name.removeprefix(f'{package}.').partition('.')[0]


class Way(docutils.SphinxDirective):
    """The way of a live migration, a line for each step."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the picture.

        :raises ValueError: a line tells of no step
        """
        self.env.note_dependency(str(ROOMS))
        known = {
            name.rpartition('.')[2]
            for name in tomllib.loads(ROOMS.read_text())
        }
        steps = [way_picture.Step.read(line) for line in self.content if line]
        for step in steps:
            if step.phase != '-':
                phase_names.PhaseName(step.phase)
            if set(step.rooms) - known:
                raise self.error(f'{step.rooms}: no such room in {ROOMS}')
        return [
            _picture(
                rooms_picture.svg(
                    *way_picture.size(steps), way_picture.parts(steps)
                )
            )
        ]


WAY = (
    ('destination', order.Place.AWAITED),
    ('source', order.Place.LEAVING),
    ('source', order.Place.AWAY),
    ('destination', order.Place.DUE),
    ('destination', order.Place.ARRIVING),
    ('destination', order.Place.HOME),
)
"""The places that a server comes through."""
MOVES = {
    order.Place.LEAVING: way_picture.Step(
        'source', '-', ('libvirt',), 'the CPUs stop here'
    ),
    order.Place.DUE: way_picture.Step(
        'destination', '-', ('libvirt',), 'the CPUs run here'
    ),
}
"""What happens to the guest after some of them."""


class Order(docutils.SphinxDirective):
    """The stages of a hand-over, on both hosts."""

    def run(self) -> list[nodes.Node]:
        """Return the picture; a change of the code makes it anew."""
        self.env.note_dependency(order.__file__)
        steps = []
        for host, place in WAY:
            steps += [
                way_picture.Step(
                    host,
                    '-' if number else place.value,
                    (row.stage.value,),
                    row.brief,
                )
                for number, row in enumerate(order.ORDER[place])
            ]
            if place in MOVES:
                steps.append(MOVES[place])
        return [
            _picture(
                rooms_picture.svg(
                    *way_picture.size(steps), way_picture.parts(steps)
                )
            )
        ]


def _picture(drawing: str) -> nodes.Node:
    return nodes.raw('', drawing, format='html')


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive('pt-rooms', Rooms)
    app.add_directive('pt-way', Way)
    app.add_directive('pt-order', Order)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
