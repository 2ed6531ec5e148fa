# SPDX-License-Identifier: Apache-2.0
"""Servers with pairs, on hosts whose netdevs are doubles."""

from typing import Any

import fixtures

from nova_pt_migrate.host import links as host_links
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import links
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import lives
from nova_pt_migrate.tests.functional import ours

UPLINK = 'physnet4:bridge/br-ext'


class Paired(ours.OurMigrations):
    """Both hosts map the network of the VFs to a bridge over the PF.

    :ivar links: the netdevs of each host, by its name
    """

    def setUp(self) -> None:
        self.links: dict[str, links.Links] = {}
        self.useFixture(
            fixtures.MockPatchObject(host_links, 'HostLinks', self._links_here)
        )
        super().setUp()

    def _links_here(self) -> links.Links:
        life = lives.current()
        host = life.host if life else base.SOURCE
        return self.links.setdefault(host, links.Links())

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(group='libvirt', hw_machine_type=['x86_64=q35'])
        self.flags(
            group='pt_migrate',
            standby_uplinks=dict([UPLINK.split(':')]),
            mac_filters='both',
        )

    def paired(self, ports: list[str], **extra_specs: str) -> dict[str, Any]:
        """Return a server whose flavor has these extra specs of ours."""
        flavor = self._create_flavor(
            extra_spec={
                f'pt_migrate:{key}': value
                for key, value in extra_specs.items()
            }
        )
        return self.boot(ports, flavor_id=flavor)

    def events(self, server: dict[str, Any]) -> set[str]:
        """Return the names of the events of its last action."""
        for compute in self.computes.values():
            self.assertTrue(compute.driver._pt_stories.wait(30.0))
        actions = self.api.get_instance_actions(server['id'])
        found = self.api.api_get(
            f'/servers/{server["id"]}/os-instance-actions/'
            f'{actions[0]["request_id"]}'
        ).body['instanceAction']['events']
        return {event['event'] for event in found}

    def standbys(self, server: dict[str, Any], host: str) -> list[str]:
        """Return the netdevs of standbys that the guest has, in order."""
        machine = self.double.hypervisors[host].find(server['id'])
        return [
            target.get('dev', '')
            for element in documents.elements(machine.document)
            if element.tag == 'interface' and element.get('type') == 'ethernet'
            for target in element.findall('./target')
        ]

    def assert_switched_off(self, host: str, count: int = 1) -> None:
        """The host has standbys, which are silent."""
        there = self.links[host]
        self.assertEqual(count, len(there.links))
        self.assertFalse(any(link.up for link in there.links.values()))
        self.assertEqual(set(), there.filters)

    def assert_nothing_left(self, host: str) -> None:
        self.assertEqual({}, self.links[host].links)
        self.assertEqual(set(), self.links[host].filters)
