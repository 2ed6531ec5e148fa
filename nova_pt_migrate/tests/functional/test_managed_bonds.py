# SPDX-License-Identifier: Apache-2.0
"""A bond that this driver makes in a guest is kept, and undone."""

from collections.abc import Callable

from nova import objects

from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.unit.guest import managed


class ManagedBondTest(paired.Paired):
    """The bond is made through the guest's agent, and undone."""

    def look(self, host: str) -> None:
        with self.processes.within(host):
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
