# SPDX-License-Identifier: Apache-2.0
"""Nova's hooks that make, keep and delete the standbys of servers."""

from typing import Any

from nova import exception
from nova import objects
from nova.compute import task_states
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.hooks import base
from nova_pt_migrate.compute.pairs import standbys
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import order
from nova_pt_migrate.core import pairs

LOG = logging.getLogger(__name__)


class InterfaceHooks(base.Hooks):
    """What our driver adds to Nova's where a server gets its interfaces."""

    @base.operation('a start')
    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        """Plug as Nova does, and make the standbys.

        :raises nova.exception.VirtualInterfacePlugException: one is not there
        """
        self._pt.removals.expect(instance.uuid, network_info)
        network_info = self._pt.missing.startable(network_info)
        super().plug_vifs(instance, network_info)
        ports = self._pt.paired_ports.of(instance, network_info)
        try:
            self._pt.standbys.plug(instance, ports)
        except errors.HostError as exc:
            raise exception.VirtualInterfacePlugException(str(exc)) from exc
        if self._pt.bonds.is_concerned(instance, ports):
            self._pt.healer.note(instance.uuid)

    def _unplug_vifs(
        self, instance: Any, network_info: Any, ignore_errors: bool
    ) -> None:
        """Unplug as Nova does, and delete the standbys.

        The guest is not here then, or not any more.
        """
        if our_vifs.owned(network_info):
            self._pt_unplug(instance, network_info, ignore_errors)
        else:
            super()._unplug_vifs(instance, network_info, ignore_errors)

    @base.operation('the end of the guest')
    def _pt_unplug(
        self, instance: Any, network_info: Any, ignore_errors: bool
    ) -> None:
        ports = self._pt.paired_ports.of(instance, network_info)
        self._pt.servers.elsewhere(instance, ports).bring(order.Place.AWAY)
        try:
            super()._unplug_vifs(instance, network_info, ignore_errors)
        finally:
            self._pt.standbys.unplug(instance, ports)
            self._pt.removals.forget(instance.uuid)
            self._pt.in_use.forget(instance.uuid)

    def _get_guest_xml(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        disk_info: Any,
        image_meta: Any,
        rescue: Any = None,
        block_device_info: Any = None,
        mdevs: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
        old_guest: Any = None,
    ) -> str:
        """Return Nova's XML of a domain, with the standbys."""
        network_info = self._pt.missing.startable(network_info)
        xml = super()._get_guest_xml(
            context, instance, network_info, disk_info, image_meta, rescue,
            block_device_info, mdevs, accel_info, share_info, old_guest,
        )  # fmt: skip
        return standbys.add_to(
            xml, self._pt.paired_ports.of(instance, network_info)
        )

    @base.operation('the attachment of a port')
    def attach_interface(
        self, context: Any, instance: Any, image_meta: Any, vif: Any
    ) -> None:
        """Attach the standby of a pass-through port first, then as Nova does.

        :raises nova.exception.InterfaceAttachFailed: neither is attached
        """
        ports = []
        self._pt.removals.expect(instance.uuid, [vif])
        if our_vifs.owned([vif]):
            if _is_migrating(context, instance):
                raise exception.InterfaceAttachFailed(
                    instance_uuid=instance.uuid
                )
            ports = self._pt.paired_ports.own(
                instance, [vif], instance.get_network_info()
            )
        if not ports:
            super().attach_interface(context, instance, image_meta, vif)
            return
        domain = self._pt.servers.domain(instance)
        try:
            self._pt.standbys.plug(instance, ports)
            for paired in ports:
                domain.add(standbys.element(paired))
            super().attach_interface(context, instance, image_meta, vif)
        except Exception as exc:
            self._pt_take_out(instance, vif)
            if isinstance(exc, errors.HostError):
                raise exception.InterfaceAttachFailed(
                    instance_uuid=instance.uuid
                ) from exc
            raise
        self._pt.healer.note(instance.uuid)

    @base.operation('the detachment of a port')
    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        """Detach a port as Nova does, and then its standby.

        Not while the server migrates: Neutron tells of a deleted port then,
        too, and the device is taken out when the migration has ended. One
        with a standby of ours is detached by its alias: the standby may
        have the same MAC address, by which Nova tells interfaces.

        :raises nova.exception.InterfaceDetachFailed: it was not released and
            may still be; it and its standby stay attached
        :raises Exception: as Nova's; the standby is attached still
        """
        if our_vifs.owned([vif]):
            if _is_migrating(context, instance):
                raise exception.InterfaceDetachFailed(
                    instance_uuid=instance.uuid
                )
            self._pt.detaching.begin(instance.uuid, vif['id'])
        if self._pt.paired_ports.own_vifs(instance, [vif]):
            self._pt_give_up(instance, vif)
        else:
            super().detach_interface(context, instance, vif)
        self._pt_take_out(instance, vif)
        if our_vifs.owned([vif]):
            self._pt.healer.note(instance.uuid)

    def _pt_give_up(self, instance: Any, vif: Any) -> None:
        try:
            self._pt.servers.of(instance, network_info=[vif]).give_up(vif)
        except errors.PtMigrateError as exc:
            raise exception.InterfaceDetachFailed(
                instance_uuid=instance.uuid
            ) from exc
        self.vif_driver.unplug(instance, vif)

    def _pt_take_out(self, instance: Any, vif: Any) -> None:
        """Take a port's standby out of the guest and off the host.

        There may be one that was made before a second port came.
        """
        ports = self._pt.paired_ports.own(instance, [vif])
        for paired in ports:
            try:
                domain = self._pt.servers.domain(instance)
                if pairs.link_name(vif['id']) in domain.observe().targets:
                    domain.drop(standbys.alias(paired))
            except (errors.HostError, exception.InstanceNotFound) as exc:
                LOG.warning(
                    'The standby of port %s stays until the server is '
                    'rebooted hard: %s', vif['id'], exc, instance=instance,
                )  # fmt: skip
        if ports:
            self._pt.standbys.unplug(instance, ports)


def _is_migrating(context: Any, instance: Any) -> bool:
    """True if the server migrates now, whatever the caller's copy says."""
    found = objects.Instance.get_by_uuid(
        context, instance.uuid, expected_attrs=[]
    )
    return bool(found.task_state == task_states.MIGRATING)
