# SPDX-License-Identifier: Apache-2.0
"""Nova's hooks where a server is started, suspended or resumed.

A degraded server starts without the devices that its host lacks. Nova and
libvirt tell the interfaces of a guest by their MAC address, and of two that
share one libvirt detaches none: devices whose standby has the same address are
detached by their alias, as for a live migration.
"""

from typing import Any

from nova import exception
from nova.compute import task_states
from nova.network import model as network_model

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.hooks import base
from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import order
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import reasons

REBUILDING = task_states.REBUILD_SPAWNING


class PowerHooks(base.Hooks):
    """What our driver adds to Nova's where a domain begins or pauses."""

    @base.operation('a start')
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
        with self._pt.missing.left_out(instance, network_info):
            super()._hard_reboot(
                context, instance, network_info, share_info,
                block_device_info, accel_info,
            )  # fmt: skip

    @base.operation('a rescue')
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
            self._pt.missing.present(instance, network_info),
            image_meta,
            rescue_password,
            block_device_info,
            share_info,
        )

    @base.operation('a start')
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
        started without a standby that it must have. While Neutron allocates
        the ports of a server Nova fetches its image; only where one may have
        a device is that waited for here.

        :raises nova.exception.InvalidInput: it can have none on any host
        :raises nova.exception.VirtualInterfacePlugException: none on this
        """
        if our_vifs.may_be_owned(instance, network_info):
            self._pt_demand_standbys(context, instance, network_info)
            if instance.task_state == REBUILDING:
                network_info = self._pt.missing.present(instance, network_info)
        super().spawn(
            context, instance, image_meta, injected_files, admin_password,
            allocations, network_info, block_device_info, power_on,
            accel_info,
        )  # fmt: skip

    def _pt_demand_standbys(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        for paired in self._pt.paired_ports.of(instance, network_info):
            if paired.choice.standby is not pairs.Need.REQUIRED:
                continue
            lacks = ' '.join(readiness.lacks(paired))
            if not lacks:
                continue
            # Nova shows no reason of a host when it has tried others.
            self._pt.tell(context, instance).tell(
                reasons.Failure(reasons.Reason.UNPAIRED, lacks)
            )
            if paired.unfit:
                raise exception.InvalidInput(reason=lacks)
            raise exception.VirtualInterfacePlugException(lacks)

    @base.operation('a start')
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
            self._pt.missing.present(instance, network_info),
            block_device_info,
            share_info,
        )
        if our_vifs.owned(network_info):
            self._pt.healer.note(instance.uuid)

    @base.operation('a start')
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
            self._pt.missing.present(instance, network_info),
            migration,
            block_device_info,
            power_on,
            share_info,
        )

    @base.operation('a suspension')
    def suspend(self, context: Any, instance: Any) -> None:
        """Suspend as Nova does; then nobody takes the guest's frames.

        :raises Exception: as Nova's, or a device was not released; what was
            released is plugged again
        """
        network_info = instance.get_network_info()
        try:
            super().suspend(context, instance)
        except Exception:
            vifs = self._pt.paired_ports.own_vifs(instance, network_info)
            if vifs:
                self._pt.servers.of(instance).bring(order.Place.HOME, vifs)
            raise
        ports = self._pt.paired_ports.of(instance, network_info)
        self._pt.servers.elsewhere(instance, ports).bring(order.Place.AWAY)

    @base.operation('a suspension')
    def _detach_direct_passthrough_ports(
        self, context: Any, instance: Any, guest: Any
    ) -> None:
        """Detach from the guest; the persistent XML keeps our devices.

        :raises nova.exception.InternalError: a device was not released
        """
        network_info = instance.get_network_info()
        vifs = self._pt.paired_ports.own_vifs(instance, network_info)
        if not vifs:
            super()._detach_direct_passthrough_ports(context, instance, guest)
            return
        try:
            self._pt.servers.of(instance).bring(order.Place.LEAVING, vifs)
        except errors.PtMigrateError as exc:
            raise exception.InternalError(str(exc)) from exc
        for vif in our_vifs.without(network_info, vifs):
            if vif['vnic_type'] in network_model.VNIC_TYPES_DIRECT_PASSTHROUGH:
                self.detach_interface(context, instance, vif)

    @base.operation('a start')
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
        vifs = self._pt.paired_ports.own_vifs(instance, network_info)
        if vifs:
            self._pt.servers.of(instance, network_info=network_info).bring(
                order.Place.HOME, vifs
            )
            network_info = our_vifs.without(network_info, vifs)
        super()._attach_direct_passthrough_ports(
            context, instance, guest, network_info
        )
