# SPDX-License-Identifier: Apache-2.0
"""Servers without pass-through devices cost what they cost with Nova's driver.

Two hosts have our driver and two have Nova's. Each operation is done with a
server on either, and what the hosts asked others for is compared: conductor,
other services of Nova, Neutron, placement, Cinder and libvirt, task by task
and in order. There is no difference that must stay.
"""

import collections
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import fixtures
from nova import context as nova_context
from nova import objects
from nova import test
from nova.tests.fixtures import glance
from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import recorder

FOURTH = 'fourth'
ROLES = {
    base.SOURCE: base.SOURCE,
    base.DESTINATION: base.DESTINATION,
    base.THIRD: base.SOURCE,
    FOURTH: base.DESTINATION,
}
"""What each host is to the server of its pair."""
OTHER = {
    base.SOURCE: base.DESTINATION,
    base.DESTINATION: base.SOURCE,
    base.THIRD: FOURTH,
    FOURTH: base.THIRD,
}
"""The other host of its pair."""
Server = dict[str, Any]
IMAGE = str(glance.GlanceFixture.image1['id'])


def power_off(driver: Any, context: Any, instance: Any, *_: Any) -> str:
    """Stand in for what would copy the disks, which no test has."""
    driver._host.get_guest(instance).poweroff()
    return '{}'


class PlainServersTest(ours.OurMigrations):
    """A server of each kind goes through all that can be done with it."""

    LEASE = 600.0
    DRIVERS = {base.THIRD: base.STOCK, FOURTH: base.STOCK}

    def setUp(self) -> None:
        super().setUp()
        self.recorder = self.useFixture(recorder.Recorder(self.processes))
        for host in (base.THIRD, FOURTH):
            self.start_compute(
                hostname=host, pci_info=self.pci_info(ROLES[host])
            )
        self.idle = {host: self.processes.at_work(host) for host in ROLES}
        self.found: list[str] = []
        self.attached: dict[str, str] = {}
        # What is asked for once and kept must not make a difference.
        for host in ROLES:
            self._delete_server(self.boot_on(host))

    def boot_on(self, host: str) -> Server:
        return self.boot(self.ports.ordinary(), host=host)

    def compare(
        self,
        what: str,
        operate: Callable[[Server], Any],
        servers: Iterable[Server],
    ) -> None:
        """Do something with the server of either pair, and compare."""
        one, other = (self.record(operate, server) for server in servers)
        self.found += [
            f'{what}: {each}' for each in recorder.differences(one, other)
        ]

    def record(
        self, operate: Callable[[Server], Any], server: Server
    ) -> recorder.Found:
        known = len(self.events(server))
        with self.recorder.recording() as found:
            made = operate(server) or server
            if 'id' in made:
                self.wait_for(lambda: self.is_done(made, known), 'the end')
            self.wait_for(self.is_still, 'the hosts to be idle')
        self.assertNotEqual({}, found, 'nothing was asked for')
        by_role: recorder.Found = collections.defaultdict(collections.Counter)
        for host, tasks in found.items():
            by_role[ROLES[host]].update(tasks)
        return by_role

    def events(self, server: Server) -> list[Any]:
        """Return for each action of a server what has been done for it.

        The API may answer before it notes an action.
        """
        cell = self.cell_mappings[test.CELL1_NAME]
        # Whoever names no cell may be given the one that has no servers.
        with nova_context.target_cell(self.ctxt, cell) as context:
            return [
                objects.InstanceActionEventList.get_by_action(
                    context, action.id
                )
                for action in objects.InstanceActionList.get_by_instance_uuid(
                    context, server.get('id')
                )
            ]

    def is_done(self, server: Server, known: int) -> bool:
        """Tell whether hosts have done all that was asked for a server.

        :param known: how many actions it had before
        """
        found = self.events(server)
        return len(found) > known and all(
            any(event.event.startswith('compute') for event in events)
            and all(event.finish_time for event in events)
            for events in found
        )

    def is_still(self) -> bool:
        return all(
            self.processes.at_work(host) <= idle
            for host, idle in self.idle.items()
        )

    def move(self, server: Server, expected: str = 'completed') -> None:
        """Live-migrate it to the other host of its pair."""
        self.migrate(server, expected, host=self.other(server))

    def other(self, server: Server) -> str:
        shown = self.api.get_server(server['id'])
        return OTHER[shown['OS-EXT-SRV-ATTR:host']]

    def not_move(self, server: Server) -> None:
        """Let libvirt not move it; Nova puts it into ERROR then."""
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.move(server, 'error')

    def booted(self) -> list[Server]:
        """Boot a server on either pair."""
        made: list[Server] = []

        def boot(server: Server) -> Server:
            made.append(self.boot_on(server['host']))
            return made[-1]

        self.compare(
            'boot', boot, ({'host': base.SOURCE}, {'host': base.THIRD})
        )
        return made

    def compare_all(
        self, *operations: tuple[str, Callable[[Server], Any]]
    ) -> None:
        servers = self.booted()
        self.hosts = {
            server['id']: server['OS-EXT-SRV-ATTR:host'] for server in servers
        }
        for what, operate in operations:
            self.compare(what, operate, servers)
        self.compare('delete', self.delete, servers)
        self.assertEqual([], self.found)

    def test_its_power(self) -> None:
        self.compare_all(
            ('soft reboot', self._reboot_server),
            ('hard reboot', lambda s: self._reboot_server(s, hard=True)),
            ('suspend', self._suspend_server),
            ('resume', self._resume_server),
            ('stop', self._stop_server),
            ('start', self._start_server),
            ('pause', self.act({'pause': None}, 'PAUSED')),
            ('unpause', self.act({'unpause': None}, 'ACTIVE')),
            ('rescue', self.act({'rescue': {}}, 'RESCUE')),
            ('unrescue', self.act({'unrescue': None}, 'ACTIVE')),
            ('rebuild', lambda s: self._rebuild_server(s, IMAGE)),
        )

    def test_what_is_attached(self) -> None:
        self.compare_all(
            ('attach interface', self.attach_interface),
            ('detach interface', self.detach_interface),
            ('attach volume', self.attach_volume),
            ('detach volume', self.detach_volume),
        )

    def test_its_live_migrations(self) -> None:
        self.compare_all(
            ('there', self.move),
            ('back', self.move),
            ('one that fails', self.not_move),
        )

    def test_its_other_moves(self) -> None:
        self.useFixture(
            fixtures.MockPatchObject(
                libvirt_driver.LibvirtDriver,
                'migrate_disk_and_power_off',
                power_off,
            )
        )
        self.flags(shelved_offload_time=0)
        self.compare_all(
            ('cold migration', self.move_cold),
            ('revert', self.act({'revertResize': None}, 'ACTIVE')),
            ('cold migration again', self.move_cold),
            ('confirm', self.act({'confirmResize': None}, 'ACTIVE')),
            ('shelve', self.act({'shelve': None}, 'SHELVED_OFFLOADED')),
            ('unshelve', self.unshelve),
        )

    def test_the_start_of_its_host(self) -> None:
        """A start with it asks for more than one without, and for no more."""
        of_server = []
        for host in (base.SOURCE, base.THIRD):
            without = recorder.calls(self.record(self.restart, {'host': host}))
            self.boot_on(host)
            with_it = recorder.calls(self.record(self.restart, {'host': host}))
            of_server.append(with_it - without)
        self.assertNotEqual({}, of_server[1])
        self.assertEqual(of_server[1], of_server[0])

    def restart(self, server: Server) -> None:
        """Start the nova-compute of its host again."""
        self.kill(server['host'])
        self.start_again(server['host'])
        self.idle[server['host']] = self.processes.at_work(server['host'])

    def act(
        self, action: dict[str, Any], status: str
    ) -> Callable[[Server], None]:
        """Return what does something with a server, and waits for the end."""

        def acting(server: Server) -> None:
            self.api.post_server_action(server['id'], action)
            self._wait_for_state_change(server, status)

        return acting

    def move_cold(self, server: Server) -> None:
        self.act({'migrate': {'host': self.other(server)}}, 'VERIFY_RESIZE')(
            server
        )

    def unshelve(self, server: Server) -> None:
        host = self.hosts[server['id']]
        self.act({'unshelve': {'host': host}}, 'ACTIVE')(server)

    def delete(self, server: Server) -> None:
        self._delete_server(self.api.get_server(server['id']))

    def attach_interface(self, server: Server) -> None:
        (port,) = self.ports.ordinary()
        self.api.attach_interface(
            server['id'], {'interfaceAttachment': {'port_id': port}}
        )
        self.attached[server['id']] = port

    def detach_interface(self, server: Server) -> None:
        self.api.detach_interface(server['id'], self.attached[server['id']])

    def attach_volume(self, server: Server) -> None:
        self.api.post_server_volume(
            server['id'], {'volumeAttachment': {'volumeId': server['id']}}
        )

    def detach_volume(self, server: Server) -> None:
        self.api.delete_server_volume(server['id'], server['id'])
