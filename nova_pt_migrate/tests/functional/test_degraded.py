# SPDX-License-Identifier: Apache-2.0
"""A server one of whose devices is gone from its host goes on living."""

import pathlib
from typing import Any

import fixtures
from nova import conf as nova_conf

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours

CONF = nova_conf.CONF


class DegradedTest(ours.OurMigrations):
    """Its other devices and ports are kept, and the missing one comes back."""

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct(2)
        self.server, self.whole = self.prepare(self.port_ids)
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        devices = sorted(self.whole.devices().values())
        self.gone, self.left = devices
        connection = self.computes[
            base.DESTINATION
        ].driver._host.get_connection()
        self.known = connection.pci_info.devices
        self.name = 'pci_' + self.gone.translate({58: '_', 46: '_'})
        self.device = self.known.pop(self.name)
        self.act({'reboot': {'type': 'HARD'}}, 'ACTIVE')
        self.assertEqual([self.left], self.live())

    def act(self, action: dict[str, Any], status: str) -> None:
        self.api.post_server_action(self.server['id'], action)
        self._wait_for_state_change(self.server, status)
        self.wait_for(
            lambda: self._task_state(self.server) is None, 'task state None'
        )

    def live(self) -> list[Any]:
        machine = self.double.hypervisors[base.DESTINATION].find(
            self.server['id']
        )
        return sorted(
            str(documents.host_address(each))
            for each in documents.passthrough(machine.live)
        )

    def test_stop_and_start(self) -> None:
        self.act({'os-stop': None}, 'SHUTOFF')
        self.act({'os-start': None}, 'ACTIVE')
        self.assert_degraded_then_healed()

    def test_hard_reboot(self) -> None:
        self.assert_degraded_then_healed()

    def test_soft_reboot(self) -> None:
        self.act({'reboot': {'type': 'SOFT'}}, 'ACTIVE')
        self.assert_degraded_then_healed()

    def test_rescue_and_unrescue(self) -> None:
        folder = pathlib.Path(CONF.instances_path) / self.server['id']
        folder.mkdir(exist_ok=True)
        self.act({'rescue': {}}, 'RESCUE')
        self.assertEqual([self.left], self.live())
        self.act({'unrescue': None}, 'ACTIVE')
        self.assert_degraded_then_healed()

    def test_suspend_and_resume(self) -> None:
        self.act({'suspend': None}, 'SUSPENDED')
        self.act({'resume': None}, 'ACTIVE')
        self.assert_degraded_then_healed()

    def test_rebuild(self) -> None:
        image = self.server['image']['id']
        self.act({'rebuild': {'imageRef': image}}, 'ACTIVE')
        self.assert_degraded_then_healed()

    def test_shelve_and_unshelve(self) -> None:
        self.flags(shelved_offload_time=0)
        self.act({'shelve': None}, 'SHELVED_OFFLOADED')
        self.act({'unshelve': {'host': base.SOURCE}}, 'ACTIVE')
        self.whole.check(always.End(base.SOURCE, 'completed'))

    def keep_disks(self) -> None:
        """No test has disks that could be copied."""

        def power_off(
            driver: Any, context: Any, instance: Any, *_: Any
        ) -> str:
            driver._host.get_guest(instance).poweroff()
            return '{}'

        self.useFixture(
            fixtures.MockPatch(
                'nova.virt.libvirt.driver.LibvirtDriver'
                '.migrate_disk_and_power_off',
                power_off,
            )
        )

    def test_cold_migration(self) -> None:
        self.keep_disks()
        self.act({'migrate': None}, 'VERIFY_RESIZE')
        self.act({'confirmResize': None}, 'ACTIVE')
        self.whole.check(always.End(base.SOURCE, 'confirmed'))

    def test_cold_migration_that_is_reverted(self) -> None:
        self.keep_disks()
        self.act({'migrate': None}, 'VERIFY_RESIZE')
        self.act({'revertResize': None}, 'ACTIVE')
        self.assertEqual([self.left], self.live())
        self.known[self.name] = self.device
        self.wait_for(lambda: len(self.live()) == 2, 'the device')

    def test_live_migration(self) -> None:
        self.migrate(self.server)
        self.whole.check(always.End(base.SOURCE, 'completed'))

    def test_deleted(self) -> None:
        self.api.delete_server(self.server['id'])
        self._wait_until_deleted(self.server)
        for compute in self.computes.values():
            self.assertEqual({}, pci_tracker.held(compute.manager.rt))

    def test_its_port_is_detached(self) -> None:
        (port,) = [
            port
            for port, device in self.whole.devices().items()
            if device == self.gone
        ]
        self.api.detach_interface(self.server['id'], port)
        self.wait_for(
            lambda: (
                len(pci_tracker.held(self.tracker())[self.server['id']]) == 1
            ),
            'the device to be free',
        )
        self.assertEqual([self.left], self.live())

    def test_another_port_is_attached(self) -> None:
        (port,) = self.ports.direct()
        self.api.attach_interface(
            self.server['id'], {'interfaceAttachment': {'port_id': port}}
        )
        new = self.ports.show(port)['binding:profile']['pci_slot']
        self.assertEqual(sorted([self.left, new]), self.live())

    def tracker(self) -> Any:
        return self.computes[base.DESTINATION].manager.rt

    def assert_degraded_then_healed(self) -> None:
        self.assertEqual([self.left], self.live())
        self.known[self.name] = self.device
        self.wait_for(lambda: len(self.live()) == 2, 'the device')
        self.whole.check(always.End(base.DESTINATION, 'completed'))
