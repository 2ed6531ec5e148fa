# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any

import fixtures
from nova.objects import virtual_interface
import testtools

from nova_pt_migrate.compute.pairs import second_ports
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports


def port(number: int) -> str:
    return f'{number}{test_paired_ports.PORT[1:]}'


DIRECT = [test_paired_ports.vif(1), test_paired_ports.vif(2)]
ORDINARY = [
    test_paired_ports.vif(3, 'normal'),
    test_paired_ports.vif(4, 'normal'),
]
ELSEWHERE = test_paired_ports.vif(5, 'normal', 'other')


class TestFind(testtools.TestCase):
    def find(
        self, vifs: list[Any], tags: dict[int, str] | None = None
    ) -> list[str | None]:
        """Return the standby of each pass-through port."""
        self.asked = 0

        def names() -> dict[str, str]:
            self.asked += 1
            return {port(key): tag for key, tag in (tags or {}).items()}

        found = [second_ports.find(vif, vifs, names) for vif in DIRECT]
        return [vif and vif['id'] for vif in found]

    def test_each_takes_one_in_the_order_of_the_ports(self) -> None:
        self.assertEqual([port(3), port(4)], self.find(DIRECT + ORDINARY))
        self.assertEqual([port(3), None], self.find(DIRECT + ORDINARY[:1]))

    def test_a_tag_wins(self) -> None:
        for tag in (port(2), port(2)[:11]):
            self.assertEqual(
                [port(4), port(3)], self.find(DIRECT + ORDINARY, {3: tag})
            )
        self.assertEqual(
            [None, port(3)], self.find(DIRECT + ORDINARY[:1], {3: port(2)})
        )

    def test_the_first_of_two_that_name_one_port(self) -> None:
        self.assertEqual(
            [port(4), port(3)],
            self.find(DIRECT + ORDINARY, {3: port(2), 4: port(2)}),
        )

    def test_a_tag_that_names_no_port_of_the_network(self) -> None:
        for tag in ('', '2', '2' * 200, port(5), port(3)):
            self.assertEqual(
                [port(3), port(4)],
                self.find([*DIRECT, ELSEWHERE, *ORDINARY], {3: tag}),
            )

    def test_a_port_of_another_network_is_none(self) -> None:
        self.assertEqual(
            [None, None], self.find([*DIRECT, ELSEWHERE], {5: port(1)})
        )
        self.assertEqual(0, self.asked)

    def test_nobody_asks_where_there_is_nothing_to_choose(self) -> None:
        vifs = [DIRECT[0], ORDINARY[0], ELSEWHERE]
        found = second_ports.find(DIRECT[0], vifs, lambda: self.fail('asked'))
        self.assertEqual(ORDINARY[0], found)


class TestNamed(testtools.TestCase):
    INSTANCE = types.SimpleNamespace(uuid='the-server')

    def named(self, **found: Any) -> second_ports.Names:
        self.useFixture(
            fixtures.MockPatchObject(
                virtual_interface.VirtualInterfaceList,
                'get_by_instance_uuid',
                **found,
            )
        )
        return second_ports.named(self.INSTANCE)

    def test_the_tags_of_standbys(self) -> None:
        tags = {3: f'pt-standby:{port(1).upper()}', 4: 'nic1', 5: None}
        self.assertEqual(
            {port(3): port(1)},
            self.named(
                return_value=[
                    virtual_interface.VirtualInterface(
                        uuid=port(number), tag=tag
                    )
                    for number, tag in tags.items()
                ]
            ),
        )

    def test_a_database_that_does_not_answer(self) -> None:
        log = self.useFixture(fixtures.FakeLogger())
        self.assertEqual({}, self.named(side_effect=TimeoutError('no reply')))
        self.assertIn('no reply', log.output)
