# SPDX-License-Identifier: Apache-2.0
"""What a destination keeps for a server that does not come."""

import dataclasses
from typing import Any

from nova import objects

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import links
from nova_pt_migrate.testing import links as fake_links
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired


class LeaseTest(ours.OurMigrations):
    """The destination has claimed; nothing tells it how it went on."""

    def setUp(self) -> None:
        super().setUp()
        self.server, self.whole = self.prepare(self.ports.direct(1))
        self.rt = self.computes[base.DESTINATION].manager.rt

    def instance(self) -> Any:
        return objects.Instance.get_by_uuid(self.ctxt, self.server['id'])

    def claim(self) -> None:
        instance = self.instance()
        self.assertTrue(
            self.rt.claim_pci_devices(
                self.ctxt, instance.pci_requests, instance.numa_topology
            )
        )

    def migration(self, **fields: Any) -> Any:
        instance = self.instance()
        migration = objects.Migration(
            self.ctxt,
            instance_uuid=instance.uuid,
            source_compute=base.SOURCE,
            source_node=base.SOURCE,
            migration_type='live-migration',
            user_id=instance.user_id,
            project_id=instance.project_id,
            **fields,
        )
        migration.create()
        return migration

    def look(self) -> None:
        with self.processes.within(base.DESTINATION):
            self.computes[base.DESTINATION].driver._pt.lease.check(self.ctxt)

    def held(self) -> bool:
        return self.server['id'] in pci_tracker.held(self.rt)

    def test_it_is_freed_when_no_migration_is_under_way(self) -> None:
        self.claim()
        self.migration(status='failed', dest_compute=base.DESTINATION)
        self.wait_for(lambda: not self.held(), 'the claim to be freed')
        self.whole.check(always.End(base.SOURCE, 'failed'))

    def test_it_is_kept_while_the_server_may_come(self) -> None:
        for status, destination, kept in (
            ('accepted', None, True),
            ('accepted', 'another', True),
            ('preparing', base.DESTINATION, True),
            ('running', base.DESTINATION, True),
            ('running', 'another', False),
        ):
            migration = self.migration(status=status, dest_compute=destination)
            self.claim()
            self.look()
            self.assertEqual(kept, self.held(), (status, destination))
            migration.status = 'failed'
            migration.save()
            self.look()
            self.assertFalse(self.held())

    def test_a_resize_keeps_what_it_has(self) -> None:
        migration = self.migration(
            status='finished', dest_compute=base.DESTINATION
        )
        migration.migration_type = 'resize'
        migration.save()
        self.claim()
        self.look()
        self.assertTrue(self.held())


class StandbyTest(paired.Paired):
    """A host has the netdev of a standby whose server is not there."""

    LEFT = links.NewLink(
        name='pts01234567-89',
        mac='fa:16:3e:00:00:09',
        kind=uplinks.Kind.BRIDGE,
        on='br-ext',
        vlan=None,
        mtu=None,
        guarded=True,
        port='01234567-89ab-4cde-8f01-23456789abcd',
        server='33333333-2222-4333-8444-555555555555',
    )

    def setUp(self) -> None:
        super().setUp()
        self.server = self.paired(self.ports.direct(), pairing='failover')
        self.here = self.links[base.SOURCE]

    def leave(self) -> None:
        self.here.make(self.LEFT)
        self.here.filters.add(('pf0', self.LEFT.mac))

    def look(self) -> None:
        with self.processes.within(base.SOURCE):
            self.computes[base.SOURCE].driver._pt.lease.check(self.ctxt)

    def test_it_is_deleted_and_no_other(self) -> None:
        self.leave()
        self.look()
        self.assertNotIn(self.LEFT.name, self.here.links)
        self.assert_switched_off(base.SOURCE)

    def test_those_of_others_stay(self) -> None:
        """Whatever their names are."""
        others = []
        for name, words in (
            ('pts0', ''),
            ('ptsd', 'dock'),
            ('pts01234567-8a', str(self.LEFT.words)),
            ('pts11111111-22', 'fa:16:3e:00:00:0a'),
        ):
            self.here.links[name] = fake_links.Link.of_others(name, words)
            others.append(name)
        self.leave()
        there = set(self.here.links) - {self.LEFT.name}
        self.look()
        self.assertEqual(there, set(self.here.links))
        for name in others:
            del self.here.links[name]

    def test_one_of_an_earlier_driver_has_its_address_only(self) -> None:
        (left,) = self.ports.direct()
        gone = self.paired([left], pairing='failover')
        (name,) = self.standbys(gone, base.SOURCE)
        new = self.here.links[name].new
        self.migrate(gone)
        self.assertNotIn(name, self.here.links)
        for words, there in (
            ('fa:16:3e:00:00:0a', True),
            (str(new.mac), False),
        ):
            self.here.links[name] = fake_links.Link.of_others(name, words)
            self.computes[base.SOURCE].driver._pt.lease.note(gone['id'])
            self.look()
            self.assertIs(there, name in self.here.links)

    def test_one_whose_port_was_detached(self) -> None:
        """It could not be deleted then; its server is still here."""
        (port,) = self.ports.direct()
        server = self.paired([port], pairing='failover')
        (name,) = self.standbys(server, base.SOURCE)

        def fault(what: object) -> None:
            if what == name:
                raise errors.HostError('netlink says no')

        self.here.fault = fault
        self.api.detach_interface(server['id'], port)
        self.wait_for(
            lambda: not self.api.get_port_interfaces(server['id']),
            'the detach',
        )
        self.assertIn(name, self.here.links)
        self.here.fault = lambda _what: None
        self.wait_for(lambda: name not in self.here.links, 'its deletion')

    def test_one_is_left_while_nova_compute_is_down(self) -> None:
        (port,) = self.ports.direct()
        self.kill(base.SOURCE)
        self.here.make(
            dataclasses.replace(
                self.LEFT,
                name=pairs.link_name(port),
                port=port,
                server=self.server['id'],
            )
        )
        self.start_again(base.SOURCE)
        self.wait_for(
            lambda: pairs.link_name(port) not in self.here.links,
            'its deletion',
        )
        self.assert_switched_off(base.SOURCE)

    def test_one_that_a_guest_has_is_left_to_it(self) -> None:
        port = self.ports.direct()
        server = self.paired(port, pairing='failover')
        (name,) = self.standbys(server, base.SOURCE)
        instance = objects.Instance.get_by_uuid(self.ctxt, server['id'])
        instance.host = base.DESTINATION
        instance.save()
        tracker = self.computes[base.SOURCE].manager.rt
        pci_tracker.free(self.ctxt, tracker, server['id'])
        self.computes[base.SOURCE].driver._pt.lease.note(server['id'])
        self.look()
        self.assertIn(name, self.here.links)

    def test_one_that_cannot_be_deleted_is_told_and_tried_again(self) -> None:
        def fault(_name: object) -> None:
            raise errors.HostError('netlink says no')

        self.leave()
        self.here.fault = fault
        self.look()
        self.assertIn(self.LEFT.name, self.here.links)
        self.assertIn('netlink says no', self.stdlog.logger.output)
        self.here.fault = lambda _name: None
        self.wait_for(
            lambda: self.LEFT.name not in self.here.links, 'its deletion'
        )
        self.assert_switched_off(base.SOURCE)
