# SPDX-License-Identifier: Apache-2.0

import dataclasses
import types
from typing import Any
from typing import cast

import fixtures
from nova import objects
import testtools

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.traffic import managed_bonds
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import reasons
from nova_pt_migrate.guest.networks import networkd
from nova_pt_migrate.tests.unit.compute.pairs import test_paired_ports
from nova_pt_migrate.tests.unit.guest import managed

KEY = f'pt_bond_{test_paired_ports.MAC}'


class Instance(types.SimpleNamespace):
    """A server of Nova's; what is saved is what there is after a crash."""

    def __init__(self) -> None:
        super().__init__(
            uuid='the-server', system_metadata={'mine': 'x'}, task_state=None
        )
        self.saved: list[dict[str, str]] = []

    def __contains__(self, name: str) -> bool:
        return hasattr(self, name)

    def get_network_info(self) -> list[Any]:
        return []

    def save(self, expected_task_state: list[str | None]) -> None:
        self.saved.append(dict(self.system_metadata))

    def obj_what_changed(self) -> set[str]:
        return set()

    def obj_reset_changes(self, fields: list[str]) -> None:
        """Nothing is saved later."""


class TestBonding(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        objects.register_all()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.instance = Instance()
        self.useFixture(
            fixtures.MockPatchObject(
                objects.Instance,
                'get_by_uuid',
                lambda _context, _server, expected_attrs: self.instance,
            )
        )
        self.guest: managed.Managed | None = managed.Managed()
        self.ports = test_paired_ports.own('bond', bond='manage')
        self.told: list[reasons.Failure] = []
        self.bonds = managed_bonds.Bonding(
            cast(Any, self),
            {'systemd-networkd': networkd.Networkd()},
        )

    def of(
        self, instance: Any, network_info: Any
    ) -> list[paired_ports.PairedPort]:
        return self.ports

    def is_concerned(self) -> bool:
        return self.bonds.is_concerned(self.instance, self.ports)

    def keep(self) -> bool:
        return self.bonds.keep(
            self.instance,
            self.told.append,
            lambda _: self.guest.agent(60) if self.guest else None,
        )

    def test_a_bond_over_two_ports_is_left_to_its_owner(self) -> None:
        self.ports = test_paired_ports.over_two()
        choice = dataclasses.replace(
            self.ports[0].choice, bond=pairs.Way.MANAGE
        )
        self.ports = [dataclasses.replace(self.ports[0], choice=choice)]
        self.assertFalse(self.keep())
        self.assertEqual([], self.instance.saved)

    def test_a_bond_is_made_and_written_down_first(self) -> None:
        seen: list[list[dict[str, str]]] = []
        guest = cast(Any, self.guest)
        manage = guest.react

        def react(argv: list[str]) -> Any:
            seen.append(list(self.instance.saved))
            return manage(argv)

        guest.react = react
        self.assertTrue(self.is_concerned())
        self.assertFalse(self.keep())
        self.assertTrue(guest.ours())
        self.assertEqual(test_paired_ports.TWIN, seen[0][0][KEY])
        self.assertEqual([], self.told)

    def has(self, *subnets: Any) -> None:
        self.ports[0].vif['network']['subnets'] = list(subnets)

    def test_none_is_made_that_would_lose_an_address(self) -> None:
        self.has(
            test_paired_ports.subnet('192.0.2.9', enable_dhcp=True),
            test_paired_ports.subnet(enable_dhcp=False),
        )
        self.assertTrue(self.keep())
        self.assertTrue(self.keep())
        (told,) = self.told
        self.assertIs(reasons.Reason.NO_BOND, told.reason)
        self.assertIn(
            f'Port {test_paired_ports.PORT} has 192.0.2.10 of subnet '
            f'192.0.2.0/24, which is without DHCP',
            told.text,
        )
        self.assertNotIn('192.0.2.9', told.text)
        self.assertEqual([], self.instance.saved)
        self.assertEqual([], cast(Any, self.guest).asked)
        self.has(test_paired_ports.subnet(enable_dhcp=True))
        self.assertFalse(self.keep())
        self.assertTrue(cast(Any, self.guest).ours())

    def test_what_does_not_matter_does_not_stop_it(self) -> None:
        for subnets in (
            [],
            [test_paired_ports.subnet()],
            [test_paired_ports.subnet(None, enable_dhcp=False)],
        ):
            self.has(*subnets)
            self.assertFalse(self.keep())
        self.assertEqual([], self.told)

    def test_one_that_is_there_is_left_when_dhcp_is_switched_off(
        self,
    ) -> None:
        self.keep()
        asked = len(cast(Any, self.guest).asked)
        self.has(test_paired_ports.subnet(enable_dhcp=False))
        self.assertTrue(self.keep())
        self.assertEqual(1, len(self.told))
        self.assertEqual(asked, len(cast(Any, self.guest).asked))
        self.assertIn(KEY, self.instance.system_metadata)
        self.ports = []
        self.assertFalse(self.keep())
        self.assertNotIn(KEY, self.instance.system_metadata)

    def test_it_is_undone_when_nobody_wants_it(self) -> None:
        self.keep()
        self.ports = test_paired_ports.own('bond', bond='observe')
        self.assertTrue(self.is_concerned())
        self.assertFalse(self.keep())
        self.assertEqual({'mine': 'x'}, self.instance.saved[-1])
        self.assertFalse(self.is_concerned())

    def test_it_is_still_written_down_if_that_fails(self) -> None:
        self.keep()
        self.ports = []
        guest = cast(Any, self.guest)
        manage = guest.react
        guest.react = lambda argv: (1, '') if argv[0] == 'rm' else manage(argv)
        self.assertTrue(self.keep())
        self.assertIn(KEY, self.instance.system_metadata)

    def test_the_same_problem_is_told_once(self) -> None:
        guest = cast(Any, self.guest)
        guest.unit = 'connman.service'
        self.assertTrue(self.keep())
        self.assertTrue(self.keep())
        (told,) = self.told
        self.assertIs(reasons.Reason.NO_BOND, told.reason)
        self.assertIn('is active', told.text)
        guest.unit = 'systemd-networkd.service'
        self.assertFalse(self.keep())
        guest.unit = 'connman.service'
        self.assertTrue(self.keep())
        self.assertEqual(2, len(self.told))

    def test_a_guest_that_does_not_run_is_left_alone(self) -> None:
        self.guest = None
        self.assertFalse(self.keep())
        self.assertEqual([], self.instance.saved)

    def test_nothing_is_written_where_it_is_not_asked_for(self) -> None:
        for way in ('prepare', 'observe'):
            self.ports = test_paired_ports.own('bond', bond=way)
            self.assertFalse(self.is_concerned())
            self.assertFalse(self.keep())
        self.ports = test_paired_ports.own('failover', bond='manage')
        self.assertFalse(self.keep())
        self.assertEqual([], cast(Any, self.guest).asked)
