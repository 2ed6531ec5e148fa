# SPDX-License-Identifier: Apache-2.0
"""Hosts with devices for flavors, which VFIO migrates, and for ports."""

from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver as libvirt_driver
from oslo_serialization import jsonutils
from oslo_utils import versionutils

from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours

ALIAS = 'accelerator'
VF = {
    'vendor_id': fakelibvirt.PCI_VEND_ID,
    'product_id': fakelibvirt.VF_PROD_ID,
}
BUS = base.BUS + 2


def of_flavor(count: int) -> dict[str, str]:
    """Return the extra specs of a flavor with so many of these devices."""
    return {'pci_passthrough:alias': f'{ALIAS}:{count}'} if count else {}


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

    def setUp(self) -> None:
        super().setUp()
        self.double.settings.vfio_migratable = frozenset(
            f'0000:{BUS:02x}:00.{function}' for function in range(4)
        )

    def boot_with_alias(
        self, ports: int = 2, ordinary: int = 0
    ) -> tuple[dict[str, Any], always.Always]:
        port_ids = self.ports.direct(ports) + self.ports.ordinary(ordinary)
        server = self.boot(
            port_ids,
            flavor_id=self._create_flavor(extra_spec=of_flavor(1)),
        )
        return server, always.Always(self, server, port_ids, aliases=1)
