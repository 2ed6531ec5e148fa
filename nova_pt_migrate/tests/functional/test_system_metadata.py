# SPDX-License-Identifier: Apache-2.0
"""What is kept with a server, while Nova and others save the server too."""

from collections.abc import Callable
from typing import Any

from nova import objects
from oslo_serialization import jsonutils

from nova_pt_migrate.compute import system_metadata
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import alias_devices
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.unit.guest import managed

OTHERS = {'password_0': 'from the guest', 'image_os_distro': 'debian'}
"""What others may save at any time (nova/api/metadata/password.py)."""


def stored(test: Any, server: dict[str, Any]) -> dict[str, str]:
    """Return all system metadata that the database has of a server."""
    instance = objects.Instance.get_by_uuid(
        test.ctxt, server['id'], expected_attrs=['system_metadata']
    )
    return dict(instance.system_metadata)


def save(test: Any, server: dict[str, Any], **values: str) -> None:
    """Save keys of others, as whoever does so has read the server just now."""
    instance = objects.Instance.get_by_uuid(
        test.ctxt, server['id'], expected_attrs=['system_metadata']
    )
    instance.system_metadata.update(values)
    instance.save()


class KeysTest(ours.OurMigrations):
    """Keys of ours are changed through an instance that is not new."""

    def setUp(self) -> None:
        super().setUp()
        self.server, self.whole = self.prepare(self.ports.direct())
        self.instance = objects.Instance.get_by_uuid(
            self.ctxt, self.server['id'], expected_attrs=['system_metadata']
        )

    def ours(self) -> dict[str, str]:
        return {
            key: value
            for key, value in stored(self, self.server).items()
            if key.startswith(system_metadata.BONDS)
        }

    def test_keys_of_others_stay(self) -> None:
        save(self, self.server, **OTHERS)
        system_metadata.put(self.instance, system_metadata.BONDS, 'a', 'b')
        system_metadata.put(self.instance, system_metadata.BONDS, 'c', 'd')
        self.assertEqual({'pt_bond_a': 'b', 'pt_bond_c': 'd'}, self.ours())
        system_metadata.drop(self.instance, system_metadata.BONDS, 'a')
        self.assertEqual({'pt_bond_c': 'd'}, self.ours())
        system_metadata.replace(
            self.instance, system_metadata.BONDS, {'e': 'f'}
        )
        self.assertEqual({'pt_bond_e': 'f'}, self.ours())
        self.assertLessEqual(OTHERS.items(), stored(self, self.server).items())

    def test_nova_saves_the_same_instance_later(self) -> None:
        system_metadata.put(self.instance, system_metadata.BONDS, 'a', 'b')
        self.assertEqual(set(), self.instance.obj_what_changed())
        self.instance.system_metadata['old_vm_state'] = 'active'
        self.instance.save()
        self.assertEqual({'pt_bond_a': 'b'}, self.ours())
        self.assertEqual('active', stored(self, self.server)['old_vm_state'])

    def test_nova_has_changed_the_same_instance_before(self) -> None:
        self.instance.system_metadata['old_vm_state'] = 'active'
        system_metadata.put(self.instance, system_metadata.BONDS, 'a', 'b')
        self.assertNotIn('old_vm_state', stored(self, self.server))
        self.instance.save()
        self.assertEqual({'pt_bond_a': 'b'}, self.ours())
        self.assertEqual('active', stored(self, self.server)['old_vm_state'])

    def test_another_saves_between(self) -> None:
        """It deletes ours once, with what it has read before."""
        stale = objects.Instance.get_by_uuid(
            self.ctxt, self.server['id'], expected_attrs=['system_metadata']
        )
        saved: list[bool] = []

        def meet(point: processes.Point, after: bool) -> None:
            saving = point.name == 'instance_update_and_get_original'
            if saving and after and not saved:
                saved.append(True)
                stale.system_metadata['shelved_host'] = 'x'
                stale.save()

        self.processes.meet = meet
        with self.processes.within(base.SOURCE):
            system_metadata.put(self.instance, system_metadata.BONDS, 'a', 'b')
        self.assertEqual([True], saved)
        self.assertEqual({'pt_bond_a': 'b'}, self.ours())
        self.assertEqual('x', stored(self, self.server)['shelved_host'])

    def test_a_migration_keeps_what_was_saved_in_its_midst(self) -> None:
        """The instance that travels was read before."""

        def watch(message: dict[str, Any]) -> None:
            if message['method'] == 'check_can_live_migrate_source':
                save(self, self.server, pt_bond_a='b', **OTHERS)

        self.processes.messages.append(watch)
        self.migrate(self.server)
        self.assertEqual({'pt_bond_a': 'b'}, self.ours())
        self.assertLessEqual(OTHERS.items(), stored(self, self.server).items())


class BondTest(paired.Paired):
    """Others save while the guest is waited for."""

    def setUp(self) -> None:
        super().setUp()
        (port,) = self.ports.direct()
        self.server = self.paired([port], pairing='bond', bond='manage')
        self.mac = self.ports.show(port)['mac_address']
        self.guest = managed.Managed(mac=self.mac)

    def made(self) -> list[str]:
        return [p for p in self.guest.ours() if p.startswith('/etc')]

    def look_until_made(self, made: bool) -> None:
        """Look at the server; another look may be under way."""
        healer = self.computes[base.SOURCE].driver._pt.healer

        def is_so() -> bool:
            with self.processes.within(base.SOURCE):
                healer._check(self.server['id'])
            noted = system_metadata.BONDS + self.mac in stored(
                self, self.server
            )
            return (bool(self.made()), noted) == (made, made)

        self.wait_for(is_so, 'the bond')

    def before_the_first(self, kind: str, do: Callable[[], None]) -> None:
        done: list[bool] = []

        def meet(point: processes.Point, after: bool) -> None:
            if point.kind == kind and not done:
                done.append(True)
                do()

        self.processes.meet = meet
        self.addCleanup(lambda: self.assertEqual([True], done))

    def test_a_password_comes_while_a_bond_is_made(self) -> None:
        self.agents[self.server['id']] = self.guest
        self.before_the_first(
            'agent', lambda: save(self, self.server, **OTHERS)
        )
        self.look_until_made(True)
        found = stored(self, self.server)
        self.assertIn(system_metadata.BONDS + self.mac, found)
        self.assertLessEqual(OTHERS.items(), found.items())

    def test_a_password_comes_while_a_bond_is_undone(self) -> None:
        self.agents[self.server['id']] = self.guest
        self.look_until_made(True)
        instance = objects.Instance.get_by_uuid(
            self.ctxt, self.server['id'], expected_attrs=['flavor']
        )
        instance.flavor.extra_specs['pt_migrate:bond'] = 'observe'
        instance.save()
        self.before_the_first(
            'agent', lambda: save(self, self.server, **OTHERS)
        )
        self.look_until_made(False)
        found = stored(self, self.server)
        self.assertNotIn(system_metadata.BONDS + self.mac, found)
        self.assertLessEqual(OTHERS.items(), found.items())


class ProvidersTest(alias_devices.AliasDevice):
    """The conductor fills in where the devices of the destination are."""

    PCI_DEVICE_SPEC = [
        jsonutils.dumps(
            {
                **alias_devices.VF,
                'address': f'0000:{alias_devices.BUS:02x}:*.*',
                'live_migratable': 'yes',
            }
        )
    ] + base.TwoComputes.PCI_DEVICE_SPEC

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(group='pci', report_in_placement=True)
        self.flags(group='filter_scheduler', pci_in_placement=True)

    def providers(self, server: dict[str, Any]) -> list[Any]:
        requests = objects.InstancePCIRequests.get_by_instance_uuid(
            self.ctxt, server['id']
        )
        return [
            spec.get('rp_uuids')
            for request in requests.requests
            for spec in request.spec
        ]

    def test_a_failure_leaves_those_of_the_source(self) -> None:
        server, whole = self.boot_with_alias(1)
        before = self.providers(server)
        self.assertTrue(any(before), before)
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(server, 'failed')
        self.assertEqual(before, self.providers(server))
        whole.check(always.End(base.SOURCE, 'failed'))
        self.double.faults.forget('migrateToURI3')
        self.migrate(server)
        self.assertNotEqual(before, self.providers(server))
        whole.check(always.End(base.DESTINATION, 'completed'))
