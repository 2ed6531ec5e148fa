# SPDX-License-Identifier: Apache-2.0
"""A server has a device by its flavor as well, which VFIO migrates."""

from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver as libvirt_driver
from oslo_serialization import jsonutils
from oslo_utils import versionutils

from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours

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
        kwargs['libvirt_version'] = versionutils.convert_version_to_int(
            libvirt_driver.MIN_VFIO_PCI_VARIANT_LIBVIRT_VERSION
        )
        kwargs['qemu_version'] = versionutils.convert_version_to_int(
            libvirt_driver.MIN_VFIO_PCI_VARIANT_QEMU_VERSION
        )
        return super().start_compute(*args, **kwargs)

    def boot_with_alias(
        self, ports: int = 2
    ) -> tuple[dict[str, Any], always.Always]:
        self.double.settings.vfio_migratable = frozenset(
            f'0000:{BUS:02x}:00.{function}' for function in range(4)
        )
        port_ids = self.ports.direct(ports)
        server = self.boot(
            port_ids,
            flavor_id=self._create_flavor(
                extra_spec={'pci_passthrough:alias': f'{ALIAS}:1'}
            ),
        )
        return server, always.Always(self, server, port_ids, aliases=1)

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
