# SPDX-License-Identifier: Apache-2.0
"""The destination's nova-compute dies while it exchanges a device."""

import threading

from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import test_unfit_device


class UnfitCrashTest(crashes.Crashes):
    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)

    def assert_whole(
        self, kind: str, name: str, after: bool, number: int = 1
    ) -> None:
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        self.double.faults.fail(
            ours.PLUG, test_unfit_device.BAD, host=base.DESTINATION
        )
        self.crash(
            server, base.DESTINATION, kind, name, after=after, number=number
        )
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_before_the_persistent_xml_is_changed(self) -> None:
        self.assert_whole('libvirt', 'defineXML', False)

    def test_after_the_persistent_xml_was_changed(self) -> None:
        self.assert_whole('libvirt', 'defineXML', True)

    def test_after_the_other_was_plugged(self) -> None:
        self.assert_whole('libvirt', ours.PLUG, True, number=2)

    def test_after_neutron_knows(self) -> None:
        """Nova itself writes the ports before the guest has come."""
        server, whole = self.prepare(self.ports.direct(2))
        self.double.faults.fail(
            ours.PLUG, test_unfit_device.BAD, host=base.DESTINATION
        )
        killed = threading.Event()

        def meet(point: processes.Point, is_after: bool) -> None:
            if (
                (point.host, point.name) == (base.DESTINATION, 'update_port')
                and self.double.calls.of(ours.PLUG)
                and is_after
                and not killed.is_set()
            ):
                self.kill(base.DESTINATION)
                killed.set()

        self.processes.meet = meet
        self.begin(server)
        self.wait_for(killed.is_set, 'the crash')
        self.start_again(base.DESTINATION)
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
