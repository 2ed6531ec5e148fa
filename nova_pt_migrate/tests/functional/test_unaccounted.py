# SPDX-License-Identifier: Apache-2.0
"""Devices in a guest of which Nova does not know whose they are."""

from typing import Any

from nova import objects
from nova.network import model as network_model

from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours

LIVE = 1


class UnaccountedTest(ours.OurMigrations):
    """The server does not leave, and is not touched."""

    def machine(self, server: dict[str, Any]) -> Any:
        return self.double.hypervisors[base.SOURCE].find(server['id'])

    def assert_stays(self, server: dict[str, Any], device: str) -> None:
        before = documents.text(self.machine(server).live)
        self.migrate(server, 'error')
        shown = self.api.get_server(server['id'])
        self.assertEqual(
            ('ACTIVE', None, base.SOURCE),
            (
                shown['status'],
                shown['OS-EXT-STS:task_state'],
                shown[always.HOST],
            ),
        )
        self.assertEqual(before, documents.text(self.machine(server).live))
        self.assertIn(
            device, ours.shown(self, server, 'pt_migrate_unaccounted')
        )

    def test_the_information_cache_is_empty(self) -> None:
        self.lose_ports(0)

    def test_the_information_cache_lacks_one(self) -> None:
        self.lose_ports(1)

    def lose_ports(self, kept: int) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        cache = objects.InstanceInfoCache.get_by_instance_uuid(
            self.ctxt, server['id']
        )
        known = cache.network_info
        cache.network_info = network_model.NetworkInfo(known[:kept])
        cache.save()

        self.assert_stays(server, known[1]['profile']['pci_slot'])

        cache.network_info = known
        cache.save()
        whole.check(always.End(base.SOURCE, 'error'))
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_device_was_plugged_by_hand(self) -> None:
        server, _ = self.prepare(self.ports.direct())
        device = '0000:81:01.7'
        domain = self.double.connect(base.SOURCE).lookupByUUIDString(
            server['id']
        )
        domain.attachDeviceFlags(
            '<hostdev mode="subsystem" type="pci" managed="yes"><source>'
            '<address domain="0x0000" bus="0x81" slot="0x01" function="0x7"/>'
            '</source></hostdev>',
            LIVE,
        )
        self.assert_stays(server, device)
