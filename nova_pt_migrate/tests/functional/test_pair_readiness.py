# SPDX-License-Identifier: Apache-2.0
"""A server whose pair is not ready stays, or moves without a standby."""

import dataclasses
from typing import Any

from nova import objects

from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired


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
