# SPDX-License-Identifier: Apache-2.0
"""Draw rooms on floors, as the table of their imports has them.

Pure: values in, SVG out. A room stands below all that import it. An arrow
that follows from two others is left out, or nobody could read the picture.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import graphlib
import html

Table = Mapping[str, frozenset[str]]
"""The rooms that each room may import; all of them are keys."""
Place = tuple[int, str, str]
"""A floor, and a room twice, or an arrow that only passes there."""

WIDTH, HEIGHT, GAP, FLOOR = 128, 34, 24, 66
SWEEPS = 8


def floors(table: Table) -> dict[str, int]:
    """Return the floor of each room, that of who imports most being 0.

    :raises graphlib.CycleError: two rooms import each other
    """
    found = dict.fromkeys(table, 0)
    order = list(graphlib.TopologicalSorter(table).static_order())
    for room in reversed(order):
        for other in table[room]:
            found[other] = max(found[other], found[room] + 1)
    return found


def reduced(table: Table) -> list[tuple[str, str]]:
    """Return the arrows that do not follow from others."""
    below: dict[str, frozenset[str]] = {}
    for room in graphlib.TopologicalSorter(table).static_order():
        below[room] = table[room].union(*(below[o] for o in table[room]))
    return [
        (room, other)
        for room in sorted(table)
        for other in sorted(table[room])
        if not any(other in below[each] for each in table[room])
    ]


def draw(table: Table, to_come: Collection[str]) -> str:
    """Return the picture.

    :param to_come: rooms that are empty still
    """
    floor = floors(table)
    paths = [
        [
            (floor[begin], begin, begin),
            *((n, begin, end) for n in range(floor[begin] + 1, floor[end])),
            (floor[end], end, end),
        ]
        for begin, end in reduced(table)
    ]
    rows: list[list[Place]] = [[] for _ in range(max(floor.values()) + 1)]
    for room in sorted(table):
        rows[floor[room]].append((floor[room], room, room))
    for path in paths:
        for place in path[1:-1]:
            rows[place[0]].append(place)
    at = _arranged(rows, paths)
    half = max(map(abs, at.values())) + WIDTH / 2 + 2
    lines = (
        _curve([(at[place] + half, place[0] * FLOOR) for place in path])
        for path in paths
    )
    boxes = (
        _box(at[n, room, room] + half, n * FLOOR, room, room in to_come)
        for room, n in floor.items()
    )
    return svg(2 * half, FLOOR * len(rows), [*lines, *boxes])


def _arranged(
    rows: list[list[Place]], paths: list[list[Place]]
) -> dict[Place, float]:
    """Return the middle of each place, counted from that of the picture.

    Each goes where its neighbours are in the mean, some times over.
    """
    near: dict[Place, list[Place]] = {}
    for path in paths:
        for one, two in zip(path, path[1:], strict=False):
            near.setdefault(one, []).append(two)
            near.setdefault(two, []).append(one)
    for _ in range(SWEEPS):
        for row in rows:
            at = dict(_columns(rows))
            mean = {
                place: sum(at[n] for n in near.get(place, [place]))
                / len(near.get(place, [place]))
                for place in row
            }
            row.sort(key=mean.__getitem__)
    return dict(_columns(rows))


def _columns(rows: list[list[Place]]) -> Iterator[tuple[Place, float]]:
    for row in rows:
        widths = [WIDTH if begin == end else 0 for _, begin, end in row]
        left = -(sum(widths) + GAP * (len(row) - 1)) / 2
        for place, width in zip(row, widths, strict=True):
            yield place, left + width / 2
            left += width + GAP


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """Return a drawing of this size, with a head for arrows."""
    return (
        f'<svg viewBox="0 -2 {width:.0f} {height:.0f}" '
        f'style="max-width: {width:.0f}px; width: 100%" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" '
        f'font-size="13"><defs><marker id="tip" viewBox="0 0 8 8" refX="7" '
        f'refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="#667"/></marker></defs>'
        f'{"".join(parts)}</svg>'
    )


def _box(middle: float, top: float, words: str, dashed: bool) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ''
    return (
        f'<rect x="{middle - WIDTH / 2:.1f}" y="{top}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="4" fill="#eef3f8" stroke="#557"{dash}/>'
        f'<text x="{middle:.1f}" y="{top + 22}" text-anchor="middle">'
        f'{html.escape(words)}</text>'
    )


def _curve(points: list[tuple[float, float]]) -> str:
    """Draw from the foot of the first box to the head of the last."""
    (x, y), *rest = points
    words = [f'M{x:.1f} {y + HEIGHT}']
    for to_x, to_y in rest:
        words.append(f'V{y + HEIGHT}')
        middle = (y + HEIGHT + to_y) / 2
        words.append(
            f'C{x:.1f} {middle} {to_x:.1f} {middle} {to_x:.1f} {to_y}'
        )
        x, y = to_x, to_y
    return (
        f'<path d="{" ".join(words)}" fill="none" stroke="#667" '
        f'marker-end="url(#tip)"/>'
    )
