# SPDX-License-Identifier: Apache-2.0
"""Servers with pairs, on hosts whose netdevs are doubles."""

import json
from typing import Any

import fixtures

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import waits
from nova_pt_migrate.host import agent as host_agent
from nova_pt_migrate.host import links as host_links
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import links
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import lives
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import waiting

UPLINK = 'physnet4:bridge/br-ext'
LINK_CALLS = ('observe', 'is_used', 'run', 'make', 'remove', 'forget')
"""The calls for the netdevs that the kernel may refuse."""


class Channel:
    """The way to the agent of a server's guest, if it has one."""

    def __init__(
        self, agents: dict[str, interfaces.AgentChannel], server: str
    ) -> None:
        self._agents = agents
        self._server = server

    def ask(self, command: str, seconds: int) -> str:
        if self._server not in self._agents:
            raise errors.GuestError('libvirt: the agent is not connected')
        return self._agents[self._server].ask(command, seconds)


class Paired(ours.OurMigrations):
    """Both hosts map the network of the VFs to a bridge over the PF.

    :ivar links: the netdevs of each host, by its name
    :ivar agents: of the guests that have one, by the server's UUID
    """

    def setUp(self) -> None:
        self.links: dict[str, links.Links] = {}
        self.agents: dict[str, interfaces.AgentChannel] = {}
        for owner, name, double in (
            (host_links, 'HostLinks', self._links_here),
            (host_agent, 'LibvirtChannel', self._channel),
        ):
            self.useFixture(fixtures.MockPatchObject(owner, name, double))
        # Guests without an agent use a device at once.
        self.useFixture(fixtures.MockPatchObject(waits, 'SETTLED', 0.0))
        super().setUp()
        self.processes.watch(links.Links, LINK_CALLS, 'link', _link_call)
        self.processes.watch(Channel, ['ask'], 'agent', _command)

    def _links_here(self) -> links.Links:
        life = lives.current()
        host = life.host if life else base.SOURCE
        return self.links.setdefault(host, links.Links())

    def _channel(self, domain: Any, _libvirt: Any) -> Any:
        return Channel(self.agents, domain.UUIDString())

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(group='libvirt', hw_machine_type=['x86_64=q35'])
        self.flags(
            group='pt_migrate',
            standby_uplinks=dict([UPLINK.split(':')]),
            mac_filters='both',
        )

    def paired(
        self,
        ports: list[str],
        volume: str | None = None,
        tags: dict[str, str] | None = None,
        others: dict[str, str] | None = None,
        **extra_specs: str,
    ) -> dict[str, Any]:
        """Return a server whose flavor has these extra specs of ours.

        :param others: extra specs that are not ours
        """
        flavor = self._create_flavor(
            ephemeral=0,
            extra_spec={
                f'pt_migrate:{key}': value
                for key, value in extra_specs.items()
            }
            | (others or {}),
        )
        return self.boot(ports, volume, flavor_id=flavor, tags=tags)

    def events(self, server: dict[str, Any]) -> set[str]:
        """Return the names of the events of its last action."""
        for compute in self.computes.values():
            self.assertTrue(compute.driver._pt.stories.wait(waiting.PATIENCE))
        actions = self.api.get_instance_actions(server['id'])
        found = self.api.api_get(
            f'/servers/{server["id"]}/os-instance-actions/'
            f'{actions[0]["request_id"]}'
        ).body['instanceAction']['events']
        return {event['event'] for event in found}

    def standbys(self, server: dict[str, Any], host: str) -> list[str]:
        """Return the netdevs of our standbys in the guest, in order."""
        machine = self.double.hypervisors[host].find(server['id'])
        return [
            target.get('dev', '')
            for element in documents.elements(machine.document)
            if element.tag == 'interface' and element.get('type') == 'ethernet'
            for target in element.findall('./target')
            if target.get('dev', '').startswith(pairs.PREFIX)
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


def _link_call(name: str, _links: Any, *args: Any) -> str:
    """Return the call, and for a step which kind of step it is."""
    return f'run {type(args[0]).__name__}' if name == 'run' else name


def _command(_name: str, _channel: Any, command: str, *_args: Any) -> str:
    return str(json.loads(command)['execute'])
