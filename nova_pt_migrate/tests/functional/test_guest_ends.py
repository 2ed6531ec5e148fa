# SPDX-License-Identifier: Apache-2.0
"""Guests that do not live to see the end of their migration."""

from typing import Any

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes


class GuestEndsTest(crashes.Crashes):
    """The guest does not live to see the end of its migration."""

    def test_it_is_switched_off_while_it_is_copied(self) -> None:
        self.switch_off()

    def test_likewise_and_the_instance_path_is_not_shared(self) -> None:
        self.unshare_instance_path()
        self.switch_off()

    def switch_off(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, whole = self.prepare(self.ports.direct(1))
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.double.hypervisors[base.SOURCE].find(server['id']).stop()
        self.settled(server)
        self.assertEqual(['failed'], self.migrations(server))
        self.assertNotIn(
            server['id'],
            self.double.hypervisors[base.DESTINATION].machines,
        )
        self.wait_for(lambda: self.status(server) == 'SHUTOFF', 'SHUTOFF')
        self.api.post_server_action(server['id'], {'os-start': None})
        self._wait_for_state_change(server, 'ACTIVE')
        whole.check(always.End(base.SOURCE, 'failed'))

    def status(self, server: dict[str, Any]) -> str:
        self.computes[base.SOURCE].manager._sync_power_states(self.ctxt)
        return str(self.api.get_server(server['id'])['status'])

    def test_it_is_deleted_while_it_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, _ = self.prepare(self.ports.direct(1))
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.api.delete_server(server['id'])
        self._wait_until_deleted(server)
        self.wait_for(self.is_all_free, 'every device to be free')

    def is_all_free(self) -> bool:
        return not any(
            pci_tracker.held(compute.manager.rt)
            for compute in self.computes.values()
        )
