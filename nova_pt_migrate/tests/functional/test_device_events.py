# SPDX-License-Identifier: Apache-2.0
"""What libvirt tells of devices that are not ours is Nova's alone."""

import threading
from typing import Any

from nova.virt.libvirt import event as libvirt_event

from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting

DISK = 'virtio-disk1'


class DeviceEventsTest(ours.OurMigrations):
    """A disk, or another device, leaves a guest on the source."""

    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        self.driver = self.computes[base.SOURCE].driver
        self.met: list[str] = []

        def meet(point: processes.Point, after: bool) -> None:
            ours = threading.current_thread().name.startswith('pt_migrate')
            if ours and not after:
                self.met.append(str(point))

        self.processes.meet = meet

    def leaves(self, server: dict[str, Any], alias: str) -> list[str]:
        """Return what a thread of ours asks when a device has left."""
        self.met.clear()
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        machine.eject(alias)
        self.assertTrue(self.driver._pt.healer.wait(waiting.PATIENCE))
        return self.met

    def alias(self, server: dict[str, Any]) -> str:
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        (device,) = documents.passthrough(machine.live)
        return str(documents.alias(device))

    def test_a_disk_costs_nothing(self) -> None:
        for ports in (self.ports.ordinary(), self.ports.direct()):
            server = self.boot(ports)
            self.assertEqual([], self.leaves(server, DISK))

    def test_nor_does_a_device_of_a_server_that_has_none_of_ours(self) -> None:
        server = self.boot(self.ports.ordinary())
        self.assertEqual([], self.leaves(server, 'hostdev0'))

    def test_nor_does_one_of_a_server_that_is_gone(self) -> None:
        server = self.boot(self.ports.direct())
        alias = self.alias(server)
        self.api.delete_server(server['id'])
        self._wait_until_deleted(server)
        self.met.clear()
        self.driver.emit_event(
            libvirt_event.DeviceRemovedEvent(server['id'], alias)
        )
        self.assertTrue(self.driver._pt.healer.wait(waiting.PATIENCE))
        self.assertEqual([], self.met)

    def test_a_device_of_ours_comes_back(self) -> None:
        server = self.boot(self.ports.direct())
        self.leaves(server, self.alias(server))
        self.assertEqual(1, len(self.double.calls.of(ours.PLUG)))

    def test_also_when_nova_compute_was_started_anew(self) -> None:
        server = self.boot(self.ports.direct())
        self.restart_compute_service(base.SOURCE)
        self.driver = self.computes[base.SOURCE].driver
        self.leaves(server, self.alias(server))
        self.assertEqual(1, len(self.double.calls.of(ours.PLUG)))

    def test_nova_gets_what_it_waits_for_while_we_wait(self) -> None:
        server = self.boot(self.ports.direct())
        for alias in (DISK, self.alias(server)):
            handler = self.driver._device_event_handler
            waiter = handler.create_waiter(
                server['id'], alias, {libvirt_event.DeviceRemovedEvent}
            )
            with self.driver._pt.events.watch(server['id']):
                self.leaves(server, alias)
            self.assertIsNotNone(handler.wait(waiter, 0.0), alias)


class LanesTest(ours.OurMigrations):
    """A device is lost while other servers are looked after."""

    LEASE = 600.0

    def test_it_does_not_wait_for_them(self) -> None:
        other, server = (self.boot(self.ports.direct()) for _ in range(2))
        healer = self.computes[base.SOURCE].driver._pt.healer
        going_on = threading.Event()
        self.addCleanup(going_on.set)
        looking: list[str] = []

        def meet(point: processes.Point, after: bool) -> None:
            if (
                threading.current_thread().name.startswith('pt_migrate')
                and not looking
            ):
                looking.append(str(point))
                going_on.wait()

        self.processes.meet = meet
        healer.note(other['id'])
        with self.processes.within(base.SOURCE):
            healer.check_again(self.ctxt)
        self.wait_for(lambda: looking, 'the look after the other')
        self.release(server)
        self.wait_for(lambda: self.double.calls.of(ours.PLUG), 'the device')


class HealActionsTest(ours.OurMigrations):
    """A device cannot be plugged for a while."""

    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        self.services = self.computes[base.SOURCE].driver._pt

    def actions(self, server: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the actions of healing that are told of."""
        self.assertTrue(self.services.stories.wait(waiting.PATIENCE))
        return [
            self.api.api_get(
                f'/servers/{server["id"]}/os-instance-actions/'
                f'{action["request_id"]}'
            ).body['instanceAction']
            for action in self.api.get_instance_actions(server['id'])
            if action['action'] == actions.HEAL
        ]

    def look(self, server: dict[str, Any]) -> None:
        with self.processes.within(base.SOURCE):
            self.services.healer.check_soon(server['id'])
        self.assertTrue(self.services.healer.wait(waiting.PATIENCE))

    def told(self, server: dict[str, Any]) -> tuple[str, str]:
        """Return result and details of the one event of healing."""
        (action,) = self.actions(server)
        (event,) = [
            event
            for event in action['events']
            if event['event'] == 'pt_migrate_heal'
        ]
        return event['result'], event['details'] or ''

    def notifications(self) -> int:
        return sum(
            note['event_type'].startswith('pt_migrate.heal')
            for note in self.notifier.versioned_notifications
        )

    def test_it_is_one_action_until_the_server_is_whole(self) -> None:
        server = self.boot(self.ports.direct())
        self.notifier.reset()
        for text in ('no slot', 'no slot', 'no slot', 'no memory'):
            self.double.faults.fail(ours.PLUG, errors.internal(text))
            if self.double.calls.of(ours.PLUG):
                self.look(server)
            else:
                self.release(server)
                self.wait_for(
                    lambda: self.double.calls.of(ours.PLUG), 'the plug'
                )
                self.assertTrue(self.services.healer.wait(waiting.PATIENCE))
            result, details = self.told(server)
            self.assertEqual('Error', result)
            self.assertIn(text, details)
        (action,) = self.actions(server)
        self.assertEqual(4, self.notifications())
        self.look(server)
        # Nova lets no detail be taken back.
        self.assertEqual(('Success', details), self.told(server))
        self.assertEqual(6, self.notifications())
        self.double.faults.fail(ours.PLUG, errors.internal('no slot'))
        self.release(server)
        self.wait_for(
            lambda: len(self.actions(server)) == 2, 'the next degradation'
        )

    def test_one_that_is_over_at_once(self) -> None:
        server = self.boot(self.ports.direct())
        self.release(server)
        self.wait_for(lambda: self.double.calls.of(ours.PLUG), 'the plug')
        self.assertTrue(self.services.healer.wait(waiting.PATIENCE))
        self.assertEqual(('Success', ''), self.told(server))
