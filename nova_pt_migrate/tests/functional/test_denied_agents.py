# SPDX-License-Identifier: Apache-2.0
"""What a guest denies its agent is as if the agent did not offer it."""

from collections.abc import Callable
from typing import Any

from nova_pt_migrate.guest import agent
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import bonded
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired


class DeniedAgentsTest(paired.Paired):
    """A server that needs its standby, whose guest has a bond."""

    def assert_migrates(
        self, command: str, when: Callable[[dict[str, Any]], bool]
    ) -> None:
        ports = self.ports.direct()
        server = self.paired(ports, pairing='bond', bond='observe')
        mac = self.ports.show(ports[0])['mac_address']
        guest = self.agents[server['id']] = bonded.Bonded(
            mac, lambda: self.has_device(server)
        )
        guest.deny(command, when=when)
        whole = always.Always(self, server, ports, own=1)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertIn('pt_migrate_no_standby', self.events(server))
        self.assertIn(
            'Permission denied',
            ours.shown(self, server, 'pt_migrate_no_standby'),
        )

    def has_device(self, server: dict[str, Any]) -> bool:
        return any(
            machine.active and documents.passthrough(machine.live)
            for hypervisor in self.double.hypervisors.values()
            if (machine := hypervisor.machines.get(server['id']))
        )

    def test_the_files(self) -> None:
        self.assert_migrates('guest-file-open', lambda arguments: True)

    def test_the_writing_of_files(self) -> None:
        self.assert_migrates(
            'guest-file-open', lambda arguments: arguments['mode'] != 'r'
        )

    def test_the_interfaces(self) -> None:
        self.assert_migrates(agent.LIST, lambda arguments: True)
