# SPDX-License-Identifier: Apache-2.0
"""Suspend and detach devices whose standby has the same MAC address.

Nova and libvirt tell the interfaces of a guest by their MAC address, and of
two that share one libvirt detaches none. Such devices are detached here by
their alias, as for a live migration.
"""

from typing import Any

from nova import exception
from nova.network import model as network_model
from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.pairs import paired_ports as coupling
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import factory
from nova_pt_migrate.core import errors


class SuspensionHooks(libvirt_driver.LibvirtDriver):
    """What our driver does instead of Nova's for ports with a standby."""

    _pt_couples: coupling.Couples
    _pt_servers: factory.Servers

    def suspend(self, context: Any, instance: Any) -> None:
        """Suspend as Nova does; then nobody takes the guest's frames.

        :raises Exception: as Nova's, or a device was not released; what was
            released is plugged again
        """
        network_info = instance.get_network_info()
        try:
            super().suspend(context, instance)
        except Exception:
            vifs = self._pt_paired(instance, network_info)
            if vifs:
                self._pt_servers.of(instance).come_home(vifs)
            raise
        self._pt_servers.links_of(instance, network_info).silence()

    def _detach_direct_passthrough_ports(
        self, context: Any, instance: Any, guest: Any
    ) -> None:
        """Detach from the guest; the persistent XML keeps our devices.

        :raises nova.exception.InternalError: a device was not released
        """
        network_info = instance.get_network_info()
        vifs = self._pt_paired(instance, network_info)
        if not vifs:
            super()._detach_direct_passthrough_ports(context, instance, guest)
            return
        try:
            self._pt_servers.of(instance).leave(
                vifs, None, departures.Departure()
            )
        except errors.PtMigrateError as exc:
            raise exception.InternalError(str(exc)) from exc
        for vif in our_vifs.without(network_info, vifs):
            if vif['vnic_type'] in network_model.VNIC_TYPES_DIRECT_PASSTHROUGH:
                self.detach_interface(context, instance, vif)

    def _attach_direct_passthrough_ports(
        self,
        context: Any,
        instance: Any,
        guest: Any,
        network_info: Any = None,
    ) -> None:
        """Plug our devices as the persistent XML has them, others as Nova."""
        if network_info is None:
            network_info = instance.get_network_info()
        vifs = self._pt_paired(instance, network_info)
        if vifs:
            self._pt_servers.of(instance, network_info=network_info).come_home(
                vifs
            )
            network_info = our_vifs.without(network_info, vifs)
        super()._attach_direct_passthrough_ports(
            context, instance, guest, network_info
        )

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        """Detach a port; one with a standby of ours by its alias.

        :raises nova.exception.InterfaceDetachFailed: it was not released and
            may still be; it stays attached
        """
        if not self._pt_paired(instance, [vif]):
            super().detach_interface(context, instance, vif)
            return
        try:
            self._pt_servers.of(instance, network_info=[vif]).give_up(vif)
        except errors.PtMigrateError as exc:
            raise exception.InterfaceDetachFailed(
                instance_uuid=instance.uuid
            ) from exc
        self.vif_driver.unplug(instance, vif)

    def _pt_paired(self, instance: Any, network_info: Any) -> list[Any]:
        """Return the VIFs that have a standby of ours."""
        if not our_vifs.owned(network_info or ()):
            return []
        return [
            couple.vif
            for couple in self._pt_couples.own(
                instance, network_info, instance.get_network_info()
            )
        ]
