# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any
from typing import cast

import fixtures
from nova import exception
from nova import objects
import testtools

from nova_pt_migrate.compute.server import healing
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.tests.unit.compute import test_our_vifs


class Instance:
    def __init__(self) -> None:
        self.host = 'here'
        self.uuid = 'the-server'
        self.task_state: str | None = None
        self.refreshed = 0

    def get_network_info(self) -> list[Any]:
        return [test_our_vifs.VF, test_our_vifs.ORDINARY]

    def refresh(self) -> None:
        self.refreshed += 1


class Servers:
    """Remembers the VIFs that were taken back."""

    def __init__(self) -> None:
        self.taken: list[list[Any]] = []

    def of(self, instance: Any, reporter: Any) -> Any:
        return self

    def come_home(
        self, vifs: list[Any], phase: phase_names.PhaseName
    ) -> dict[str, str]:
        assert phase is phase_names.PhaseName.HEAL
        self.taken.append(vifs)
        return {}


class TestLateReleases(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.instance = Instance()
        self.kept: list[Any] = []
        self.bond_is_lacking = False
        self.servers = Servers()
        self.late = healing.Healer(
            cast(Any, self.servers),
            'here',
            lambda context, instance: cast(
                Any, types.SimpleNamespace(tell=None)
            ),
            cast(Any, self),
        )

    def keep(self, instance: Any, tell: Any) -> bool:
        self.kept.append(instance)
        return self.bond_is_lacking

    def look(self, **kwargs: Any) -> None:
        self.useFixture(
            fixtures.MockPatchObject(objects.Instance, 'get_by_uuid', **kwargs)
        )
        self.late.check_soon('the-server')
        self.late._executor.shutdown()

    def test_only_our_devices_are_taken_back(self) -> None:
        self.look(return_value=self.instance)
        self.assertEqual([[test_our_vifs.VF]], self.servers.taken)
        self.assertEqual(1, self.instance.refreshed)

    def test_nothing_is_done_during_another_operation(self) -> None:
        self.instance.task_state = 'migrating'
        self.look(return_value=self.instance)
        self.assertEqual([], self.servers.taken)

    def test_nothing_is_done_for_a_server_of_another_host(self) -> None:
        self.instance.host = 'there'
        self.late.note('the-server')
        self.look(return_value=self.instance)
        self.assertEqual([], self.servers.taken)
        self.assertEqual({}, self.late._lacking)

    def test_one_that_is_about_to_be_on_this_host_is_looked_at_later(
        self,
    ) -> None:
        self.instance.host = 'there'
        self.instance.task_state = 'migrating'
        self.late.note('the-server')
        self.look(return_value=self.instance)
        self.assertEqual([], self.servers.taken)
        self.assertIn('the-server', self.late._lacking)

    def test_a_bond_that_could_not_be_made_is_tried_again(self) -> None:
        self.bond_is_lacking = True
        self.look(return_value=self.instance)
        self.assertEqual([self.instance], self.kept)
        self.assertIn('the-server', self.late._lacking)

    def test_a_server_that_lacks_nothing_is_forgotten(self) -> None:
        self.late.note('the-server')
        self.look(return_value=self.instance)
        self.assertEqual({}, self.late._lacking)

    def test_a_server_that_is_gone_needs_nothing(self) -> None:
        self.look(
            side_effect=exception.InstanceNotFound(instance_id='the-server')
        )
        self.assertNotIn('missing', self.log.output)

    def test_a_look_that_fails_is_seen(self) -> None:
        self.look(side_effect=OSError('no message bus'))
        self.assertIn(
            'Server the-server could not be looked after, and a device may '
            'be missing in its guest', self.log.output,
        )  # fmt: skip
        self.assertIn('no message bus', self.log.output)

    def test_after_the_stop_nothing_begins(self) -> None:
        self.late.stop()
        self.look(return_value=self.instance)
        self.assertEqual([], self.servers.taken)
        self.assertIn('the-server', self.log.output)
