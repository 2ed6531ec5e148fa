# SPDX-License-Identifier: Apache-2.0
"""Start a degraded server without the devices that its host lacks.

libvirt does not start a domain with a PCI device that the host has not, so a
server whose VF is gone would be kept from running. It starts on its other
ports; what is missing is plugged when it is there again.
"""

from collections.abc import Callable
import threading
from typing import Any

from nova import exception
from nova.compute import task_states
from nova.network import model as network_model
from nova.virt.libvirt import driver as libvirt_driver
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.server import healing
from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)
REBUILDING = task_states.REBUILD_SPAWNING


class LifecycleHooks(libvirt_driver.LibvirtDriver):
    """What our driver adds to Nova's where a server's domain is made anew."""

    _pt_couples: paired_ports.Couples
    _pt_late: healing.LateReleases
    _pt_starting: threading.local
    _pt_tell: actions.Tell

    def _hard_reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        share_info: Any,
        block_device_info: Any = None,
        accel_info: Any = None,
    ) -> None:
        """Start it with what there is; also how Nova starts and resumes."""
        self._pt_starting.missing = self._pt_missing(instance, network_info)
        try:
            super()._hard_reboot(
                context, instance, network_info, share_info,
                block_device_info, accel_info,
            )  # fmt: skip
        finally:
            self._pt_starting.missing = []

    def rescue(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        image_meta: Any,
        rescue_password: str,
        block_device_info: Any,
        share_info: Any,
    ) -> None:
        """Rescue it with what there is."""
        super().rescue(
            context,
            instance,
            self._pt_present(instance, network_info),
            image_meta,
            rescue_password,
            block_device_info,
            share_info,
        )

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: str,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
    ) -> None:
        """Rebuild it with what there is.

        A new server is not: Nova tries another host for it. Neither is one
        started without a standby that it must have.

        :raises nova.exception.InvalidInput: it can have none on any host
        :raises nova.exception.VirtualInterfacePlugException: none on this
        """
        if network_info:
            self._pt_demand_standbys(context, instance, network_info)
        if network_info and instance.task_state == REBUILDING:
            network_info = self._pt_present(instance, network_info)
        super().spawn(
            context, instance, image_meta, injected_files, admin_password,
            allocations, network_info, block_device_info, power_on,
            accel_info,
        )  # fmt: skip

    def _pt_demand_standbys(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        for couple in self._pt_couples.of(instance, network_info):
            if couple.choice.standby is not pairs.Need.REQUIRED:
                continue
            lacks = ' '.join(readiness.lacks(couple))
            if not lacks:
                continue
            # Nova shows no reason of a host when it has tried others.
            self._pt_tell(context, instance).tell(
                reasons.Failure(reasons.Reason.UNPAIRED, lacks)
            )
            if couple.unfit:
                raise exception.InvalidInput(reason=lacks)
            raise exception.VirtualInterfacePlugException(lacks)

    def resume(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        share_info: Any = None,
    ) -> None:
        """Resume it from memory with what there is.

        Nova plugs the devices into the live domain alone, so that the record
        of what the guest must have is completed afterwards.
        """
        super().resume(
            context,
            instance,
            self._pt_present(instance, network_info),
            block_device_info,
            share_info,
        )
        if our_vifs.owned(network_info):
            self._pt_late.note(instance.uuid)

    def finish_revert_migration(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        migration: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
    ) -> None:
        """Start it where it comes back to with what there is."""
        super().finish_revert_migration(
            context,
            instance,
            self._pt_present(instance, network_info),
            migration,
            block_device_info,
            power_on,
            share_info,
        )

    def _pt_startable(self, network_info: Any) -> Any:
        """Return what a server is started with by this thread."""
        return our_vifs.without(
            network_info, getattr(self._pt_starting, 'missing', [])
        )

    def _pt_present(self, instance: Any, network_info: Any) -> Any:
        """Return the VIFs whose device is there, or is none of ours."""
        return our_vifs.without(
            network_info, self._pt_missing(instance, network_info)
        )

    def _pt_missing(
        self, instance: Any, network_info: Any
    ) -> list[our_vifs.Vif]:
        """Return the VIFs whose device is not there, to be plugged later."""
        if not isinstance(network_info, network_model.NetworkInfo):
            # Whoever has none to give.
            return []
        left = missing(network_info, self._host.device_lookup_by_name)
        for vif in left:
            LOG.error(
                'Device %s of port %s is not on this host. The server starts '
                'without it; it is plugged when it is there again.',
                vif['profile']['pci_slot'], vif['id'], instance=instance,
            )  # fmt: skip
        if left:
            self._pt_late.note(instance.uuid)
        return left


def missing(
    network_info: Any, look_up: Callable[[str], Any]
) -> list[our_vifs.Vif]:
    """Return the VIFs of ours whose device libvirt does not know.

    :param look_up: finds a node device by libvirt's name for it
    """
    left = []
    for vif in our_vifs.owned(network_info):
        name = vif['profile']['pci_slot'].translate({58: '_', 46: '_'})
        try:
            look_up(f'pci_{name}')
        except libvirt_driver.libvirt.libvirtError as exc:
            if exc.get_error_code() != (
                libvirt_driver.libvirt.VIR_ERR_NO_NODE_DEVICE
            ):
                raise
            left.append(vif)
    return left
