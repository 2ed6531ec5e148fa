# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.tests.functional import neutron


class OwnTest(testtools.TestCase):
    def test_what_a_test_changes_ends_with_it(self) -> None:
        changed, other = neutron.Neutron(self), neutron.Neutron(self)
        kinds = {
            name: kind
            for name, kind in vars(changed).items()
            if isinstance(kind, dict) and kind
        }
        self.assertLessEqual(
            {'_networks', '_ports', '_security_groups', '_subnets'}, set(kinds)
        )
        for name, kind in kinds.items():
            for each in kind.values():
                each['name'] = 'changed'
            for known in (other, neutron.Neutron(self)):
                self.assertNotIn(
                    'changed',
                    [each.get('name') for each in vars(known)[name].values()],
                    name,
                )


class FilterTest(testtools.TestCase):
    def test_a_port_is_found_by_each_host_that_it_is_bound_to(self) -> None:
        fixture = neutron.Neutron(self)
        port = next(iter(fixture._ports))
        fixture._ports[port]['device_owner'] = 'compute:nova'
        for host in ('active', 'inactive'):
            fixture.create_port_binding(port, {'binding': {'host': host}})
        for host, found in {
            'active': [port],
            'inactive': [port],
            'other': [],
        }.items():
            ports = fixture.list_ports(True, **{'binding:host_id': host})
            self.assertEqual(found, [each['id'] for each in ports['ports']])
