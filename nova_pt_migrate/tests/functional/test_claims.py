# SPDX-License-Identifier: Apache-2.0
"""What the PCI tracker holds for a server that is elsewhere can be freed."""

from typing import Any

from nova import objects

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.tests.functional import base


class FreeTest(base.TwoComputes):
    """A server on the source has devices set aside at the destination."""

    def setUp(self) -> None:
        super().setUp()
        server = self.boot(
            [self.ports.direct_physical(), *self.ports.direct(2)]
        )
        self.instance = objects.Instance.get_by_uuid(
            self.ctxt, server['id'], expected_attrs=['pci_requests']
        )
        self.tracker = self.computes[base.DESTINATION].manager.rt

    def claim(self, requests: list[Any] | None = None) -> set[str]:
        """Claim as Nova does, all of the server's requests or some."""
        return {
            device.address
            for device in self.tracker.claim_pci_devices(
                self.ctxt,
                objects.InstancePCIRequests(
                    instance_uuid=self.instance.uuid,
                    requests=requests or self.instance.pci_requests.requests,
                ),
                None,
            )
        }

    def held(self) -> set[str]:
        devices = pci_tracker.held(self.tracker).get(self.instance.uuid, [])
        return {device.address for device in devices}

    def free(self, **more: Any) -> set[str]:
        return set(
            pci_tracker.free(
                self.ctxt, self.tracker, self.instance.uuid, **more
            )
        )

    def assert_nothing_held(self) -> None:
        """Neither in the tracker nor in the database, and all can be had."""
        self.assertEqual({}, pci_tracker.held(self.tracker))
        self.assertNotIn(self.instance.uuid, self.tracker.pci_tracker.claims)
        self.assertNotIn(
            self.instance.uuid, self.tracker.pci_tracker.allocations
        )
        node = objects.ComputeNode.get_by_nodename(self.ctxt, base.DESTINATION)
        self.assertEqual(
            {'available'},
            {
                device.status
                for device in objects.PciDeviceList.get_by_compute_node(
                    self.ctxt, node.id
                )
            },
        )
        self.assertEqual(
            base.VFS + 2,
            len(self.tracker.pci_tracker.stats.get_free_devs()),
        )

    def test_claimed(self) -> None:
        claimed = self.claim()
        self.assertEqual(3, len(claimed))
        self.assertEqual(claimed, self.held())
        self.assertEqual(claimed, self.free())
        self.assert_nothing_held()

    def test_claimed_twice_so_that_nova_forgot_the_first(self) -> None:
        first, *others = self.instance.pci_requests.requests
        claimed = self.claim([first]) | self.claim(others)
        self.assertEqual(3, len(claimed))
        self.assertEqual(claimed, self.free())
        self.assert_nothing_held()

    def test_allocated(self) -> None:
        claimed = self.claim()
        self.tracker.allocate_pci_devices_for_instance(
            self.ctxt, self.instance
        )
        self.assertEqual(claimed, self.held())
        self.assertEqual(claimed, self.free())
        self.assert_nothing_held()

    def test_a_second_time_nothing_is_left_to_do(self) -> None:
        self.claim()
        self.free()
        self.assertEqual(set(), self.free())
        self.assert_nothing_held()

    def test_kept_if_the_caller_finds_that_it_must_be(self) -> None:
        claimed = self.claim()
        self.assertEqual(set(), self.free(unless=lambda: True))
        self.assertEqual(claimed, self.held())

    def test_another_server_keeps_its_devices(self) -> None:
        other = self.boot(self.ports.direct(), host=base.DESTINATION)
        self.claim([self.instance.pci_requests.requests[-1]])
        self.free()
        self.assertEqual([other['id']], list(pci_tracker.held(self.tracker)))

    def test_a_tracker_that_has_not_looked_at_the_host_yet(self) -> None:
        self.assertIsNone(self.tracker_at_start().pci_tracker)
        self.assertEqual({}, pci_tracker.held(self.tracker_at_start()))

    def tracker_at_start(self) -> Any:
        return type(self.tracker)(
            base.DESTINATION,
            self.computes[base.DESTINATION].driver,
            self.tracker.reportclient,
        )
