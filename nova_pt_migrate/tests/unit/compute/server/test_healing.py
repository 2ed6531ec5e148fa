# SPDX-License-Identifier: Apache-2.0

import contextlib
from typing import Any
from typing import cast

import fixtures
from nova import exception
from nova import objects
from oslo_concurrency import lockutils
import testtools

from nova_pt_migrate.compute.server import healing
from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import order
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.tests.unit.compute import test_our_vifs

SERVER = 'the-server'
PATIENCE = 30.0


class Instance:
    def __init__(self) -> None:
        self.host = 'here'
        self.uuid = SERVER
        self.task_state: str | None = None
        self.refreshed = 0
        self.vifs = [test_our_vifs.VF, test_our_vifs.ORDINARY]
        self.later: list[Any] | None = None

    def get_network_info(self) -> list[Any]:
        return self.vifs

    def refresh(self) -> None:
        self.refreshed += 1
        self.vifs = self.later or self.vifs


class Servers:
    """Remembers the VIFs that were taken back."""

    agent = None

    def __init__(self) -> None:
        self.taken: list[list[Any]] = []
        self.turns: list[turns.Turn] = []
        self.meanwhile = contextlib.ExitStack()

    def within(self, turn: turns.Turn) -> Any:
        self.turns.append(turn)
        return self

    def of(self, instance: Any, reporter: Any) -> Any:
        return self

    def domain(self, instance: Any) -> Any:
        return None

    def bring(
        self,
        place: order.Place,
        vifs: list[Any],
        *,
        phase: phase_names.PhaseName,
    ) -> dict[str, str]:
        assert place is order.Place.HOME
        assert phase is phase_names.PhaseName.HEAL
        self.turns[-1].check()
        self.taken.append(vifs)
        self.meanwhile.close()
        return {}


class TestHealer(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.instance = Instance()
        self.kept: list[Any] = []
        self.told: list[Any] = []
        self.bond_is_lacking = False
        self.given_up = True
        self.servers = Servers()
        self.owners = owner.Owners()
        self.healer = healing.Healer(
            self.owners,
            cast(Any, self.servers),
            'here',
            lambda context, instance: cast(Any, self),
            cast(Any, self),
            lambda context, instance, domain: self.given_up,
        )
        self.healer.start()
        self.addCleanup(self.healer.stop)

    def keep(self, instance: Any, tell: Any, agent_of: Any) -> bool:
        self.kept.append(instance)
        if self.bond_is_lacking:
            tell('no bond')
        return self.bond_is_lacking

    def tell(self, failure: Any) -> None:
        self.told.append(failure)

    def finish(self) -> None:
        self.told.append('whole')

    def look(self, **kwargs: Any) -> None:
        self.useFixture(
            fixtures.MockPatchObject(objects.Instance, 'get_by_uuid', **kwargs)
        )
        self.healer.check_soon(SERVER)
        self.assertTrue(self.healer.wait(PATIENCE))

    def assert_later(self) -> None:
        self.assertEqual([], self.servers.taken)
        self.assertIn(SERVER, self.healer._lacking)

    def test_only_our_devices_are_taken_back(self) -> None:
        self.look(return_value=self.instance)
        self.assertEqual([[test_our_vifs.VF]], self.servers.taken)
        self.assertEqual(1, self.instance.refreshed)

    def test_nothing_is_done_during_another_operation(self) -> None:
        self.instance.task_state = 'migrating'
        self.look(return_value=self.instance)
        self.assert_later()

    def test_nor_while_a_hook_is_under_way(self) -> None:
        with self.owners.operation(SERVER, 'a reboot'):
            self.look(return_value=self.instance)
        self.assert_later()
        self.assertIn('a reboot is under way', self.log.output)

    def test_nor_while_a_port_is_attached_or_detached(self) -> None:
        port = test_our_vifs.VF['id']
        with lockutils.lock(f'interface-{SERVER}-{port}'):
            self.look(return_value=self.instance)
        self.assert_later()

    def test_nor_if_the_server_has_another_port_than_is_locked(self) -> None:
        self.instance.later = [
            *self.instance.vifs,
            test_our_vifs.vif('new', 'direct', 'hw_veb'),
        ]
        self.look(return_value=self.instance)
        self.assert_later()
        self.assertIn('ports new are being attached', self.log.output)

    def test_an_operation_that_begins_meanwhile_ends_it(self) -> None:
        def begins(*_: Any) -> None:
            with self.owners.operation(SERVER, 'a reboot'):
                """It is over at once, and the turn all the same."""

        self.instance.refresh = begins  # type: ignore[method-assign]
        self.look(return_value=self.instance)
        self.assert_later()

    def test_one_that_loses_something_meanwhile_is_looked_at_again(
        self,
    ) -> None:
        self.servers.meanwhile.callback(self.healer._check, SERVER)
        self.look(return_value=self.instance)
        self.assertEqual(2, len(self.servers.taken))

    def test_nothing_is_done_for_a_server_of_another_host(self) -> None:
        self.instance.host = 'there'
        self.healer.note(SERVER)
        self.look(return_value=self.instance)
        self.assertEqual([], self.servers.taken)
        self.assertEqual({}, self.healer._lacking)

    def test_one_that_is_about_to_be_on_this_host_is_looked_at_later(
        self,
    ) -> None:
        self.instance.host = 'there'
        self.instance.task_state = 'migrating'
        self.look(return_value=self.instance)
        self.assert_later()

    def looks(self, count: int) -> None:
        for _ in range(count):
            self.healer.check_again(None)
            self.assertTrue(self.healer.wait(PATIENCE))

    def test_what_others_do_makes_it_wait_no_longer_than_that(self) -> None:
        """It was not tried, so that nothing is known of how hard it is."""
        self.instance.task_state = 'migrating'
        self.look(return_value=self.instance)
        self.looks(200)
        self.assert_later()
        self.instance.task_state = None
        self.looks(1)
        self.assertEqual([[test_our_vifs.VF]], self.servers.taken)

    def test_what_is_tried_in_vain_is_tried_less_often(self) -> None:
        self.bond_is_lacking = True
        self.look(return_value=self.instance)
        self.looks(200)
        self.assertGreater(12, len(self.kept))

    def test_one_that_has_just_lost_something_is_looked_at_next(self) -> None:
        """However often it was tried in vain before."""
        self.bond_is_lacking = True
        self.look(return_value=self.instance)
        self.looks(200)
        before = len(self.kept)
        self.healer.note(SERVER)
        self.looks(1)
        self.assertEqual(before + 1, len(self.kept))

    def test_a_bond_that_could_not_be_made_is_tried_again(self) -> None:
        self.bond_is_lacking = True
        self.look(return_value=self.instance)
        self.assertEqual([self.instance], self.kept)
        self.assertIn(SERVER, self.healer._lacking)
        self.bond_is_lacking = False
        self.healer.check_soon(SERVER)
        self.assertTrue(self.healer.wait(PATIENCE))
        self.assertEqual(['no bond', 'whole'], self.told)
        self.assertEqual({}, self.healer._lacking)

    def test_one_of_which_something_is_kept_is_tried_again(self) -> None:
        self.given_up = False
        self.look(return_value=self.instance)
        self.assertIn(SERVER, self.healer._lacking)

    def test_a_server_that_lacks_nothing_is_forgotten(self) -> None:
        self.healer.note(SERVER)
        self.look(return_value=self.instance)
        self.assertEqual({}, self.healer._lacking)

    def test_a_server_that_is_gone_needs_nothing(self) -> None:
        self.look(side_effect=exception.InstanceNotFound(instance_id=SERVER))
        self.assertNotIn('missing', self.log.output)

    def test_a_look_that_fails_is_seen(self) -> None:
        self.look(side_effect=OSError('no message bus'))
        self.assertIn(
            'Server the-server could not be looked after, and a device may '
            'be missing in its guest', self.log.output,
        )  # fmt: skip
        self.assertIn('no message bus', self.log.output)
        self.assertIn(SERVER, self.healer._lacking)

    def test_after_the_stop_nothing_begins(self) -> None:
        self.healer.stop()
        self.look(return_value=self.instance)
        self.assertEqual([], self.servers.taken)
        self.assertIn(SERVER, self.log.output)

    def test_nor_after_all_turns_are_closed(self) -> None:
        self.owners.close()
        self.look(return_value=self.instance)
        self.assert_later()
        self.assertRaises(
            errors.NotOurTurn, self.owners.turn(SERVER, 'a look').__enter__
        )
