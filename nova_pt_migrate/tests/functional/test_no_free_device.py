# SPDX-License-Identifier: Apache-2.0
"""A host without fitting free devices is refused, and another is tried."""

from typing import Any

from nova import objects

from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import waiting

OTHER = '5a1f7c0e-6f3b-4b43-9d25-0c9d3a4b7f11'


class NoFreeDevice(ours.OurMigrations):
    """Devices of the destination are taken, and the scheduler is not told."""

    LEASE = 600.0

    def take_all(self, keep: int = 0) -> None:
        """Claim VFs at the destination as for a server that boots there.

        Nova tells the scheduler only at the end of a build and periodically.
        """
        source = objects.Instance.get_by_uuid(
            self.ctxt, self.server['id'], expected_attrs=['pci_requests']
        )
        request = source.pci_requests.requests[0].obj_clone()
        request.count = base.VFS - keep
        self.computes[base.DESTINATION].manager.rt.claim_pci_devices(
            self.ctxt,
            objects.InstancePCIRequests(
                instance_uuid=OTHER, requests=[request]
            ),
            None,
        )

    def start(self, count: int = 2) -> always.Always:
        port_ids = self.ports.direct(count)
        self.server, whole = self.prepare(port_ids)
        self.port_ids = port_ids
        return whole

    def assert_refused(self, whole: always.Always, *words: str) -> None:
        whole.check(always.End(base.SOURCE, 'error'))
        self.assert_one_owner([], [])
        reason = ours.shown(self, self.server)
        for word in (base.DESTINATION, 'no free device', *words):
            self.assertIn(word, reason)

    def migrate_forced(self, **more: Any) -> None:
        """Bypass the scheduler, as the API allows before version 2.68."""
        self.api.microversion = '2.67'
        self.migrate(
            self.server, 'error', host=base.DESTINATION, force=True, **more
        )
        self.api.microversion = self.microversion

    def start_third(self) -> None:
        """Start a host that the scheduler tries after the destination."""
        self.start_compute(
            hostname=base.THIRD, pci_info=self.pci_info(base.THIRD)
        )
        self.boot(self.ports.direct(), host=base.THIRD)
        self.double.calls.clear()


class NoFreeDeviceTest(NoFreeDevice):
    def test_the_scheduler_does_not_know_yet(self) -> None:
        whole = self.start()
        self.take_all()

        self.migrate(self.server, 'error')

        self.assert_refused(whole, *self.port_ids)

    def test_one_of_two_has_none(self) -> None:
        whole = self.start()
        self.take_all(keep=1)

        self.migrate(self.server, 'error')

        self.assert_refused(whole, self.port_ids[-1])
        self.assertNotIn(self.port_ids[0], ours.shown(self, self.server))

    def test_the_host_is_forced(self) -> None:
        whole = self.start()
        self.take_all()

        self.migrate_forced()

        self.assert_refused(whole, *self.port_ids)

    def test_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        whole = self.start()
        self.take_all()

        self.migrate(self.server, 'error')

        self.assert_refused(whole, *self.port_ids)

    def test_a_third_host_is_tried(self) -> None:
        whole = self.start()
        self.start_third()
        self.take_all()

        self.migrate(self.server)

        whole.check(always.End(base.THIRD, 'completed'))
        self.assertIn('no free device', ours.shown(self, self.server))


class AnotherIsFasterTest(NoFreeDevice):
    """Another server takes the devices between the look and Nova's claim."""

    def meanwhile(self) -> Any:
        """Stop the check at the source's libvirt, and claim then."""
        look = self.double.faults.hang('XMLDesc', host=base.SOURCE)

        def claim() -> None:
            self.assertTrue(look.reached.wait(waiting.PATIENCE))
            self.take_all()
            look.release()

        return claim

    def test_the_host_is_refused(self) -> None:
        whole = self.start()

        self.migrate(self.server, 'error', self.meanwhile())

        self.assert_refused(whole, *self.port_ids)

    def test_a_third_host_is_tried(self) -> None:
        whole = self.start()
        self.start_third()

        self.migrate(self.server, meanwhile=self.meanwhile())

        whole.check(always.End(base.THIRD, 'completed'))
        self.assertIn('no free device', ours.shown(self, self.server))

    def test_the_host_is_forced(self) -> None:
        whole = self.start()

        self.migrate_forced(meanwhile=self.meanwhile())

        self.assert_refused(whole, *self.port_ids)
