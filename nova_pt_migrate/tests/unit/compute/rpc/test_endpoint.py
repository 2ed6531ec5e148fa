# SPDX-License-Identifier: Apache-2.0

from typing import Any
from unittest import mock

from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.compute.rpc import endpoint
from nova_pt_migrate.compute.server import owner


class TestGuest(testtools.TestCase):
    def told(self, server: Any, stopped: Any) -> list[Any]:
        come = mock.Mock()
        endpoint.Endpoint(mock.Mock(), come).guest({}, server, stopped)
        return [call.args for call in come.mock_calls]

    def test_it_is_handed_on(self) -> None:
        for stopped, moment in (
            (True, owner.Moment.NEAR),
            (False, owner.Moment.FAR),
        ):
            self.assertEqual(
                [(uuids.server, moment)], self.told(uuids.server, stopped)
            )

    def test_only_a_plain_yes_opens_anything(self) -> None:
        words: list[Any] = [None, 1, 'yes', [True], {}]
        for stopped in words:
            self.assertEqual(
                [(uuids.server, owner.Moment.FAR)],
                self.told(uuids.server, stopped),
            )

    def test_whatever_the_server_is_it_is_one_word(self) -> None:
        self.assertEqual([('[1]', owner.Moment.NEAR)], self.told([1], True))
