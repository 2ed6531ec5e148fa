# SPDX-License-Identifier: Apache-2.0
"""A server one of whose devices is gone from its host goes on living."""

from typing import Any

from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours


class DegradedTest(ours.OurMigrations):
    """Its other devices and ports are kept, and the missing one comes back."""

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct(2)
        self.server, self.whole = self.prepare(self.port_ids)
        self.migrate(self.server)
        devices = sorted(self.whole.devices().values())
        self.gone, self.left = devices
        connection = self.computes[
            base.DESTINATION
        ].driver._host.get_connection()
        self.known = connection.pci_info.devices
        self.name = 'pci_' + self.gone.translate({58: '_', 46: '_'})
        self.device = self.known.pop(self.name)

    def act(self, action: dict[str, Any], status: str) -> None:
        self.api.post_server_action(self.server['id'], action)
        self._wait_for_state_change(self.server, status)
        self.wait_for(
            lambda: self._task_state(self.server) is None, 'task state None'
        )

    def live(self) -> list[Any]:
        machine = self.double.hypervisors[base.DESTINATION].find(
            self.server['id']
        )
        return sorted(
            str(documents.host_address(each))
            for each in documents.passthrough(machine.live)
        )

    def test_stop_and_start(self) -> None:
        self.act({'os-stop': None}, 'SHUTOFF')
        self.act({'os-start': None}, 'ACTIVE')
        self.assert_degraded_then_healed()

    def test_hard_reboot(self) -> None:
        self.act({'reboot': {'type': 'HARD'}}, 'ACTIVE')
        self.assert_degraded_then_healed()

    def assert_degraded_then_healed(self) -> None:
        self.assertEqual([self.left], self.live())
        self.known[self.name] = self.device
        self.wait_for(lambda: len(self.live()) == 2, 'the device')
        self.whole.check(always.End(base.DESTINATION, 'completed'))
