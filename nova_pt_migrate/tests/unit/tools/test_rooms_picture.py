# SPDX-License-Identifier: Apache-2.0

import importlib.util
import pathlib
import re
from typing import Any

import testtools

EXTENSIONS = pathlib.Path(__file__).parents[4] / 'doc/source/_exts'
TABLE = {
    'roof': frozenset({'left', 'right', 'ground'}),
    'left': frozenset({'cellar'}),
    'right': frozenset({'ground'}),
    'ground': frozenset({'cellar'}),
    'cellar': frozenset(),
}


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(
        name, EXTENSIONS / f'{name}.py'
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestRoomsPicture(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.picture = load('rooms_picture')

    def test_a_room_stands_below_all_that_import_it(self) -> None:
        floors = self.picture.floors(TABLE)
        for room, others in TABLE.items():
            for other in others:
                self.assertLess(floors[room], floors[other])

    def test_what_follows_from_two_arrows_is_left_out(self) -> None:
        self.assertEqual(
            [
                ('ground', 'cellar'),
                ('left', 'cellar'),
                ('right', 'ground'),
                ('roof', 'left'),
                ('roof', 'right'),
            ],
            self.picture.reduced(TABLE),
        )

    def test_every_room_has_a_box_and_none_lies_on_another(self) -> None:
        drawing = self.picture.draw(TABLE, {'left'})
        boxes = re.findall(r'<rect x="([\d.]+)" y="(\d+)"', drawing)
        self.assertEqual(len(TABLE), len(boxes))
        for row in {y for _, y in boxes}:
            at = sorted(float(x) for x, y in boxes if y == row)
            for one, two in zip(at, at[1:], strict=False):
                self.assertGreater(two - one, self.picture.WIDTH)
        self.assertEqual(1, drawing.count('stroke-dasharray'))


class TestWayPicture(testtools.TestCase):
    def test_a_step_that_is_none_is_refused(self) -> None:
        step = load('way_picture').Step
        for line in (
            'elsewhere | look | hooks | words',
            'source | look | hooks',
            f'source | look | hooks | {"w" * 99}',
        ):
            self.assertRaises(ValueError, step.read, line)
