# SPDX-License-Identifier: Apache-2.0
"""A server keeps its standby, and its standby carries while it moves."""

from collections.abc import Callable
import dataclasses
from typing import Any

from nova import objects

from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.core import errors as core_errors
from nova_pt_migrate.core import steps
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.unit.guest import managed


class MigrationTest(paired.Paired):
    """A failover pair, there and back."""

    PAIRING = 'failover'
    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct()
        self.server = self.paired(self.port_ids, pairing=self.PAIRING)
        self.whole = always.Always(self, self.server, self.port_ids, own=1)

    def kinds(self, host: str) -> list[str]:
        return [type(step).__name__ for step in self.links[host].steps]

    def test_it_is_off_while_the_device_carries(self) -> None:
        self.assertEqual(1, len(self.standbys(self.server, base.SOURCE)))
        self.assert_switched_off(base.SOURCE)

    def test_it_moves_and_comes_back(self) -> None:
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_nothing_left(base.SOURCE)
        self.assert_switched_off(base.DESTINATION)
        self.migrate(self.server)
        self.whole.check(always.End(base.SOURCE, 'completed'))
        self.assert_nothing_left(base.DESTINATION)
        self.assert_switched_off(base.SOURCE)

    def test_the_order_on_both_hosts(self) -> None:
        self.migrate(self.server)
        self.assertEqual(
            ['LinkUp', 'AddFilter', 'RemoveFilter', 'LinkDown'],
            self.kinds(base.SOURCE),
        )
        self.assertEqual(
            ['LinkUp', 'AddFilter', 'Announce', 'RemoveFilter', 'LinkDown'],
            self.kinds(base.DESTINATION),
        )

    def test_a_device_that_is_never_released(self) -> None:
        self.flags(group='pt_migrate', unplug_timeout=1.0)
        self.restart_compute_service(base.SOURCE)
        self.double.settings.guest = guests.Never()
        self.migrate(self.server, 'failed')
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_switched_off(base.SOURCE)
        self.assert_nothing_left(base.DESTINATION)

    def test_libvirt_does_not_move_it(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(self.server, 'failed')
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_switched_off(base.SOURCE)
        self.assert_nothing_left(base.DESTINATION)

    def test_a_standby_that_cannot_be_switched_on(self) -> None:
        def fault(step: object) -> None:
            if isinstance(step, steps.LinkUp):
                raise core_errors.HostError('no carrier')

        self.links[base.SOURCE].fault = fault
        self.migrate(self.server, 'failed')
        self.assertEqual([], self.double.calls.of(ours.OUR_UNPLUG))
        self.whole.check(always.End(base.SOURCE, 'failed'))

    def test_a_standby_that_cannot_be_made_there(self) -> None:
        def fault(_what: object) -> None:
            raise core_errors.HostError('no bridge')

        self.links[base.DESTINATION].fault = fault
        self.migrate(self.server, 'failed')
        self.links[base.DESTINATION].fault = lambda _what: None
        self.whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_switched_off(base.SOURCE)

    def test_a_device_that_does_not_come_leaves_it_on(self) -> None:
        self.double.faults.fail(
            ours.PLUG,
            errors.internal('No more available PCI slots'),
            host=base.DESTINATION,
        )
        self.migrate(self.server)
        there = self.links[base.DESTINATION]
        self.assertTrue(all(link.up for link in there.links.values()))
        self.assertEqual(1, len(there.filters))
        self.computes[base.DESTINATION].driver._pt.healer.check_again(
            self.ctxt
        )
        self.wait_for(
            lambda: not any(link.up for link in there.links.values()),
            'the device that is healed',
        )
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_switched_off(base.DESTINATION)


class BondMigrationTest(MigrationTest):
    """A bond over our own standby, whose guest has no agent."""

    PAIRING = 'bond'


class LifecycleTest(paired.Paired):
    """The standby lives as long as the server's own interfaces."""

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct(2)
        self.server = self.paired(self.port_ids, pairing='failover')
        self.whole = always.Always(self, self.server, self.port_ids, own=2)
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def act(self, action: dict[str, Any], status: str) -> None:
        self.api.post_server_action(self.server['id'], action)
        self._wait_for_state_change(self.server, status)
        self.wait_for(
            lambda: self._task_state(self.server) is None, 'task state None'
        )

    def assert_paired(self) -> None:
        self.assertEqual(2, len(self.standbys(self.server, base.DESTINATION)))
        self.assert_switched_off(base.DESTINATION, 2)
        self.migrate(self.server)
        self.whole.check(always.End(base.SOURCE, 'completed'))
        self.assert_nothing_left(base.DESTINATION)
        self.assert_switched_off(base.SOURCE, 2)

    def test_hard_reboot(self) -> None:
        self.act({'reboot': {'type': 'HARD'}}, 'ACTIVE')
        self.assert_paired()

    def test_stop_and_start(self) -> None:
        self.act({'os-stop': None}, 'SHUTOFF')
        self.act({'os-start': None}, 'ACTIVE')
        self.assert_paired()

    def test_suspend_and_resume(self) -> None:
        self.act({'suspend': None}, 'SUSPENDED')
        self.act({'resume': None}, 'ACTIVE')
        self.assert_paired()

    def test_rebuild(self) -> None:
        image = self.server['image']['id']
        self.act({'rebuild': {'imageRef': image}}, 'ACTIVE')
        self.assert_paired()

    def test_a_restart_of_nova_compute(self) -> None:
        self.restart_compute_service(base.DESTINATION)
        self.assert_paired()

    def test_delete(self) -> None:
        self.api.delete_server(self.server['id'])
        self._wait_until_deleted(self.server)
        self.assert_nothing_left(base.DESTINATION)

    def test_a_port_is_attached_and_detached(self) -> None:
        (port,) = self.ports.direct()
        self.api.attach_interface(
            self.server['id'], {'interfaceAttachment': {'port_id': port}}
        )
        self.assertEqual(3, len(self.standbys(self.server, base.DESTINATION)))
        self.assert_switched_off(base.DESTINATION, 3)
        self.api.detach_interface(self.server['id'], port)
        self.wait_for(
            lambda: (
                len(self.links[base.DESTINATION].links) == 2
                and len(self.standbys(self.server, base.DESTINATION)) == 2
            ),
            'the standby to be gone, and released by the guest',
        )
        self.assert_paired()


class ManagedBondTest(paired.Paired):
    """The bond is made through the guest's agent, and undone."""

    def look(self, host: str) -> None:
        self.computes[host].driver._pt.healer.check_again(self.ctxt)

    def test_it_is_made_kept_and_undone(self) -> None:
        ports = self.ports.direct()
        server = self.paired(ports, pairing='bond', bond='manage')
        mac = self.neutron.show_port(ports[0])['port']['mac_address']
        self.look(base.SOURCE)
        self.wait_for(
            lambda: 'pt_migrate_no_bond' in self.events(server),
            'the user to be told',
        )
        guest = self.agents[server['id']] = managed.Managed(mac=mac)

        def made() -> list[str]:
            return [path for path in guest.ours() if path.startswith('/etc')]

        self.wait_until_looked(base.SOURCE, lambda: len(made()) == 4)
        whole = always.Always(self, server, ports, own=1)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        instance = objects.Instance.get_by_uuid(
            self.ctxt, server['id'], expected_attrs=['flavor']
        )
        instance.flavor.extra_specs['pt_migrate:bond'] = 'observe'
        instance.save()
        self.api.post_server_action(server['id'], {'reboot': {'type': 'HARD'}})
        self.wait_until_looked(base.DESTINATION, lambda: not made())

    def test_none_is_made_on_a_subnet_without_dhcp(self) -> None:
        for subnet in self.neutron._subnets.values():
            subnet.update(cidr='192.168.4.0/24', enable_dhcp=False)
        ports = self.ports.direct()
        server = self.paired(ports, pairing='bond', bond='manage')
        shown = self.ports.show(ports[0])
        guest = self.agents[server['id']] = managed.Managed(
            mac=shown['mac_address']
        )
        self.wait_until_looked(
            base.SOURCE, lambda: 'pt_migrate_no_bond' in self.events(server)
        )
        self.assertEqual([], guest.ours())
        self.assertNotIn('guest-file-write', guest.asked)
        self.assertNotIn('guest-exec', guest.asked)
        (action,) = [
            action
            for action in self.api.get_instance_actions(server['id'])
            if action['action'] == actions.HEAL
        ]
        (event,) = self.api.api_get(
            f'/servers/{server["id"]}/os-instance-actions/'
            f'{action["request_id"]}'
        ).body['instanceAction']['events']
        self.assertIn('192.168.4.0/24', event['details'])
        self.assertIn(shown['fixed_ips'][0]['ip_address'], event['details'])

    def wait_until_looked(
        self, host: str, condition: Callable[[], bool]
    ) -> None:
        def look() -> bool:
            self.look(host)
            return condition()

        self.wait_for(look, 'the bond')


class ReadinessTest(paired.Paired):
    def unmap(self) -> None:
        """The network of the source's servers is not mapped."""
        driver = self.computes[base.SOURCE].driver
        driver._pt.paired_ports._settings = dataclasses.replace(
            driver._pt.paired_ports._settings, standby_uplinks={}
        )

    def map(self) -> None:
        """It is mapped later, and servers are not rebooted."""
        self.computes[
            base.SOURCE
        ].driver._pt.paired_ports._settings = self.computes[
            base.DESTINATION
        ].driver._pt.paired_ports._settings

    def need(self, server: dict[str, Any], word: str) -> None:
        """Let the operator resize the server to another word, in short."""
        instance = objects.Instance.get_by_uuid(
            self.ctxt, server['id'], expected_attrs=['flavor']
        )
        instance.flavor.extra_specs['pt_migrate:standby'] = word
        instance.save()

    def test_a_required_standby_that_is_not_in_the_guest(self) -> None:
        self.unmap()
        ports = self.ports.direct()
        server = self.paired(ports, pairing='failover', standby='preferred')
        self.map()
        self.need(server, 'required')
        whole = always.Always(self, server, ports)
        self.migrate(server, 'error')
        whole.check(always.End(base.SOURCE, 'error'))
        self.assertIn('no standby in the guest', ours.shown(self, server))

    def test_a_preferred_one(self) -> None:
        self.unmap()
        ports = self.ports.direct()
        server = self.paired(ports, pairing='failover', standby='preferred')
        whole = always.Always(self, server, ports)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertIn('pt_migrate_no_standby', self.events(server))

    def fault(self, ports: list[str], **extra_specs: str) -> str:
        """Return why a server could not be started."""
        flavor = self._create_flavor(
            extra_spec={
                f'pt_migrate:{key}': value
                for key, value in extra_specs.items()
            }
        )
        body = self._build_server(
            networks=[{'port': port} for port in ports],
            host=base.SOURCE,
            flavor_id=flavor,
        )
        server = self.api.post_server({'server': body})
        server = self._wait_for_state_change(server, 'ERROR')
        self.assertIn('pt_migrate_unpaired', self.events(server))
        return str(server['fault'])

    def test_a_server_is_not_started_without_one_that_is_required(
        self,
    ) -> None:
        self.unmap()
        ports = self.ports.direct()
        self.fault(ports, pairing='bond')

    def test_a_machine_that_cannot_have_the_pairing(self) -> None:
        self.flags(group='libvirt', hw_machine_type=['x86_64=pc'])
        ports = self.ports.direct()
        self.assertIn('PCIe', self.fault(ports, pairing='failover'))

    def test_extra_specs_are_validated_by_the_api(self) -> None:
        for key in ('pairing', 'standby', 'bond'):
            self.assertRaisesRegex(
                Exception,
                'is not one of',
                self._create_flavor,
                extra_spec={f'pt_migrate:{key}': 'teamed'},
            )
        for value in ('soon', '-1', '601'):
            self.assertRaisesRegex(
                Exception,
                'Validation failed',
                self._create_flavor,
                extra_spec={'pt_migrate:notice': value},
            )
