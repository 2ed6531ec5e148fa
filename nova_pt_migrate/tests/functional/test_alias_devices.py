# SPDX-License-Identifier: Apache-2.0
"""A server has a device by its flavor as well, which VFIO migrates."""

from typing import Any

import fixtures
from nova import exception
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver as libvirt_driver
from oslo_serialization import jsonutils
from oslo_utils import versionutils

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional.sweep import sweeping

ALIAS = 'accelerator'
VF = {
    'vendor_id': fakelibvirt.PCI_VEND_ID,
    'product_id': fakelibvirt.VF_PROD_ID,
}
BUS = base.BUS + 2


class AliasDevice(ours.OurMigrations):
    """Each host has a second PF, whose VFs are for the flavor's alias."""

    PCI_DEVICE_SPEC = [
        jsonutils.dumps(
            {
                'address': f'0000:{BUS:02x}:*.*',
                'live_migratable': 'yes',
            }
        )
    ] + base.TwoComputes.PCI_DEVICE_SPEC
    PCI_ALIAS = [
        jsonutils.dumps(
            {
                **VF,
                'name': ALIAS,
                'device_type': 'type-VF',
                'live_migratable': 'yes',
            }
        )
    ]

    def pci_info(self, host: str) -> Any:
        info = super().pci_info(host)
        for function in range(4):
            info.add_device(
                dev_type='VF' if function else 'PF',
                bus=BUS,
                slot=0,
                function=function,
                iommu_group=110 + function,
                numa_node=0,
                vf_ratio=3,
                parent=(BUS, 0, 0) if function else None,
            )
        return info

    def start_compute(self, *args: Any, **kwargs: Any) -> str:
        """With a libvirt that Nova trusts to migrate devices."""
        if kwargs.get('connection') is None:
            kwargs['libvirt_version'] = versionutils.convert_version_to_int(
                libvirt_driver.MIN_VFIO_PCI_VARIANT_LIBVIRT_VERSION
            )
            kwargs['qemu_version'] = versionutils.convert_version_to_int(
                libvirt_driver.MIN_VFIO_PCI_VARIANT_QEMU_VERSION
            )
        return super().start_compute(*args, **kwargs)

    def boot_with_alias(
        self, ports: int = 2, ordinary: int = 0
    ) -> tuple[dict[str, Any], always.Always]:
        self.double.settings.vfio_migratable = frozenset(
            f'0000:{BUS:02x}:00.{function}' for function in range(4)
        )
        port_ids = self.ports.direct(ports) + self.ports.ordinary(ordinary)
        server = self.boot(
            port_ids,
            flavor_id=self._create_flavor(
                extra_spec={'pci_passthrough:alias': f'{ALIAS}:1'}
            ),
        )
        return server, always.Always(self, server, port_ids, aliases=1)

    def abort(self, server: dict[str, Any]) -> None:
        """Abort its only migration while its memory is copied."""
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        (migration,) = self.api.api_get(
            f'/os-migrations?instance_uuid={server["id"]}'
        ).body['migrations']
        self.api.api_delete(
            f'/servers/{server["id"]}/migrations/{migration["id"]}'
        )

    def assert_arrives(self) -> None:
        server, whole = self.boot_with_alias()
        left = whole.places()

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_one_owner(left, whole.places())

    def assert_stays(self) -> None:
        server, whole = self.boot_with_alias()
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )

        self.migrate(server, 'failed')

        whole.check(always.End(base.SOURCE, 'failed'))


class AliasDeviceTest(AliasDevice):
    def test_it_is_aborted(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, whole = self.boot_with_alias()
        self.migrate(server, 'cancelled', lambda: self.abort(server))
        whole.check(always.End(base.SOURCE, 'cancelled'))

    def test_nothing_leaks_when_it_arrives(self) -> None:
        self.assert_arrives()

    def test_nothing_leaks_when_it_stays(self) -> None:
        self.assert_stays()


class UnsharedTest(AliasDevice):
    """As above, without a shared instance path."""

    def setUp(self) -> None:
        super().setUp()
        self.unshare_instance_path()

    def test_nothing_leaks_when_it_arrives(self) -> None:
        self.assert_arrives()

    def test_nothing_leaks_when_it_stays(self) -> None:
        self.assert_stays()


class AliasOnlyTest(AliasDevice):
    """The server has no device by its ports."""

    def setUp(self) -> None:
        super().setUp()
        self.server, self.whole = self.boot_with_alias(0, ordinary=1)

    def check_failed(self, status: str = 'failed') -> None:
        """It is whole, nothing is held elsewhere, and an event says why."""
        self.whole.check(always.End(base.SOURCE, status))
        tracker = self.computes[base.DESTINATION].manager.rt
        self.wait_for(
            lambda: not pci_tracker.held(tracker), 'the devices to be freed'
        )

    def test_it_arrives(self) -> None:
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.migrate(self.server)
        self.whole.check(always.End(base.SOURCE, 'completed'))

    def test_libvirt_does_not_move_it(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(self.server, 'failed')
        self.check_failed()
        self.assertIn(
            'no route',
            ours.shown(self, self.server, 'pt_migrate_move_failed'),
        )
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_is_aborted(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        self.migrate(self.server, 'cancelled', lambda: self.abort(self.server))
        self.check_failed('cancelled')

    def test_its_preparation_fails(self) -> None:
        with sweeping.preparation_fails():
            self.migrate(self.server, 'failed')
        self.check_failed()

    def test_another_server_is_faster(self) -> None:
        """Nova's claim fails with what turns a server into ERROR."""
        tracker = self.computes[base.DESTINATION].manager.rt
        free = tracker.pci_tracker.stats.get_free_devs
        with fixtures.MockPatchObject(
            tracker,
            'claim_pci_devices',
            side_effect=exception.PciDeviceRequestFailed(requests=[]),
        ):
            self.migrate(self.server, 'error')
        self.assertEqual(base.VFS + 2 + 4, len(free()))
        self.whole.check(always.End(base.SOURCE, 'error'))

    def test_the_source_dies_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER

        def die() -> None:
            self.wait_for(
                lambda: self.double.calls.of('migrateToURI3'), 'the copy'
            )
            self.kill(base.SOURCE)
            self.start_again(base.SOURCE)

        self.migrate(self.server, 'failed', die)
        self.check_failed()

    def test_the_source_dies_when_it_has_arrived(self) -> None:
        killed = self.processes.kill_at(
            base.SOURCE, 'libvirt', 'migrateToURI3', after=True
        )

        def revive() -> None:
            self.wait_for(killed.is_set, 'the crash')
            self.start_again(base.SOURCE)

        self.migrate(self.server, 'completed', revive)
        self.whole.check(always.End(base.DESTINATION, 'completed'))


class AliasOnlyUnsharedTest(AliasOnlyTest):
    """As above, without a shared instance path."""

    def setUp(self) -> None:
        super().setUp()
        self.unshare_instance_path()
