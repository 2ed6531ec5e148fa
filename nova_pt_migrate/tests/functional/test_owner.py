# SPDX-License-Identifier: Apache-2.0
"""What nobody asked for gives way to Nova, wherever it is."""

import threading

from nova.tests.functional.api import client as api_client

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting


class LookTest(paired.Paired):
    """A server with a pair is looked after when Nova comes."""

    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct()
        self.server = self.paired(self.port_ids, pairing='failover')
        self.whole = always.Always(self, self.server, self.port_ids, own=1)
        self.here = self.links[base.SOURCE]
        self.healer = self.computes[base.SOURCE].driver._pt.healer

    def look(self) -> None:
        """Begin a look that waits until the guest uses its device."""
        looking = threading.Event()

        def meet(point: processes.Point, after: bool) -> None:
            if after and str(point) == f'{base.SOURCE}:link:is_used':
                looking.set()

        self.here.unused.update(self.whole.devices().values())
        self.processes.meet = meet
        with self.processes.within(base.SOURCE):
            self.healer.check_soon(self.server['id'])
        self.wait_for(looking.is_set, 'the look')

    def end_look(self) -> None:
        """Let the guest use its device, and wait for the end of the look."""
        self.here.unused.clear()
        self.assertTrue(self.healer.wait(waiting.PATIENCE))

    def test_a_departure_ends_it(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        self.look()
        machine = self.double.hypervisors[base.SOURCE].find(self.server['id'])

        def meanwhile() -> None:
            self.wait_for(
                lambda: self.double.calls.of('migrateToURI3'), 'the copy'
            )
            self.end_look()
            self.assertEqual(
                [True], [link.up for link in self.here.links.values()]
            )
            self.assertEqual(1, len(self.here.filters))
            self.double.job(machine).finish()

        self.migrate(self.server, meanwhile=meanwhile)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_nothing_left(base.SOURCE)

    def test_a_stop_ends_it(self) -> None:
        for link in self.here.links.values():
            link.up = True
        self.look()
        self.api.post_server_action(self.server['id'], {'os-stop': None})
        self._wait_for_state_change(self.server, 'SHUTOFF')
        done = len(self.here.steps)
        self.end_look()
        self.assertEqual(done, len(self.here.steps))
        self.assert_switched_off(base.SOURCE)


class AttachTest(ours.OurMigrations):
    """A port is attached while its server is looked after."""

    LEASE = 600.0

    def test_a_port_that_is_being_attached_is_left_to_nova(self) -> None:
        known, new = self.ports.direct(2)
        server = self.boot([known])
        whole = always.Always(self, server, [known, new])
        whole._guest_addresses.clear()
        healer = self.computes[base.SOURCE].driver._pt.healer
        hang = self.double.faults.hang(ours.PLUG, host=base.SOURCE)
        refused: list[Exception] = []

        def attach() -> None:
            try:
                self.api.attach_interface(
                    server['id'], {'interfaceAttachment': {'port_id': new}}
                )
            except api_client.OpenStackApiException as exc:
                refused.append(exc)

        attaching = threading.Thread(target=attach, daemon=True)
        read, going_on = self.looks_twice()
        with self.processes.within(base.SOURCE):
            healer.check_soon(server['id'])
        self.wait_for(read.is_set, 'the look')
        attaching.start()
        self.wait_for(lambda: self.double.calls.of(ours.PLUG), 'the plug')
        going_on.set()
        self.assertTrue(healer.wait(waiting.PATIENCE))
        hang.release()
        attaching.join(waiting.PATIENCE)

        self.assertEqual([], refused)
        self.assertEqual(1, len(self.double.calls.of(ours.PLUG)))
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.assertEqual(
            sorted(whole.devices().values()),
            sorted(
                str(documents.host_address(each))
                for each in documents.passthrough(machine.live)
            ),
        )

    def looks_twice(self) -> tuple[threading.Event, threading.Event]:
        """Let a look stop when it has seen the server for the first time.

        :returns: that it has, and that it may go on
        """
        read, going_on = threading.Event(), threading.Event()
        asked: list[processes.Point] = []

        def meet(point: processes.Point, after: bool) -> None:
            if (
                threading.current_thread().name.startswith('pt_migrate')
                and point.name == 'instance_get_by_uuid'
                and not after
            ):
                asked.append(point)
                if len(asked) == 2:
                    read.set()
                    going_on.wait()

        self.processes.meet = meet
        return read, going_on


class EvacuatedTest(paired.Paired, crashes.Crashes):
    """A guest that runs at the destination after its migration has ended."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)
        self.port_ids = self.ports.direct()
        self.server = self.paired(self.port_ids, pairing='failover')
        self.whole = always.Always(self, self.server, self.port_ids, own=1)
        self.there = self.links[base.DESTINATION]

    def test_it_is_none_that_arrives(self) -> None:
        killed = self.processes.kill_at(
            base.SOURCE, 'libvirt', 'migrateToURI3'
        )
        self.begin(self.server)
        self.wait_for(killed.is_set, 'the crash')
        source = self.double.hypervisors[base.SOURCE]
        source.find(self.server['id']).stop()
        self.api.put_service_force_down(
            self.computes[base.SOURCE].service_ref.uuid, True
        )
        tracker = self.computes[base.DESTINATION].manager.rt
        self.wait_for(
            lambda: (
                self.server['id'] not in pci_tracker.held(tracker)
                and not self.there.links
                and all(
                    len(self.ports.bindings(p)) == 1 for p in self.port_ids
                )
            ),
            'what was prepared to be freed',
        )
        self.assertEqual(['LinkUp'], self.steps())
        self.api.post_server_action(
            self.server['id'], {'evacuate': {'host': base.DESTINATION}}
        )
        self.wait_for(
            lambda: (
                self.api.get_server(self.server['id'])[always.HOST]
                == base.DESTINATION
            ),
            'the evacuation',
        )
        self._wait_for_state_change(self.server, 'SHUTOFF')
        self.api.post_server_action(self.server['id'], {'os-start': None})
        self._wait_for_state_change(self.server, 'ACTIVE')
        services = self.computes[base.DESTINATION].driver._pt
        self.assertTrue(services.moments.wait(waiting.PATIENCE))

        self.assertEqual(['LinkUp'], self.steps())
        self.assert_switched_off(base.DESTINATION)

    def steps(self) -> list[str]:
        """Return what was done to links; one was made ready for the guest."""
        return [type(step).__name__ for step in self.there.steps]


class ArrivalTest(paired.Paired, crashes.Crashes):
    """The destination's nova-compute does not know what it prepared."""

    def test_it_was_started_anew(self) -> None:
        self.processes.bus.patience = 1.0
        self.double.settings.copy_seconds = base.NEVER
        ports = self.ports.direct()
        server = self.paired(ports, pairing='failover')
        whole = always.Always(self, server, ports, own=1)
        self.begin(server)
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        self.kill(base.DESTINATION)
        self.start_again(base.DESTINATION)
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.double.job(machine).finish()
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_switched_off(base.DESTINATION)
        self.assert_nothing_left(base.SOURCE)
