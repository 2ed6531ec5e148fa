# SPDX-License-Identifier: Apache-2.0
"""Nova's hooks that make, keep and delete the standbys of servers."""

from collections.abc import Callable
from typing import Any

from nova import exception
from nova.virt.libvirt import driver as libvirt_driver
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.pairs import paired_ports as coupling
from nova_pt_migrate.compute.pairs import standbys
from nova_pt_migrate.compute.server import factory
from nova_pt_migrate.compute.server import healing
from nova_pt_migrate.compute.traffic import incoming
from nova_pt_migrate.compute.traffic import managed_bonds
from nova_pt_migrate.core import errors

LOG = logging.getLogger(__name__)


class PairingHooks(libvirt_driver.LibvirtDriver):
    """What our driver adds to Nova's where a server gets its interfaces."""

    _pt_bonds: managed_bonds.Bonding
    _pt_couples: coupling.Couples
    _pt_incoming: incoming.Incoming
    _pt_late: healing.LateReleases
    _pt_servers: factory.Servers
    _pt_startable: Callable[[Any], Any]
    _pt_standbys: standbys.Standbys

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        """Plug as Nova does, and make the standbys.

        :raises nova.exception.VirtualInterfacePlugException: one is not there
        """
        network_info = self._pt_startable(network_info)
        super().plug_vifs(instance, network_info)
        try:
            self._pt_standbys.plug(instance, network_info)
        except errors.HostError as exc:
            raise exception.VirtualInterfacePlugException(str(exc)) from exc
        if self._pt_bonds.is_concerned(instance, network_info):
            self._pt_late.note(instance.uuid)

    def _unplug_vifs(
        self, instance: Any, network_info: Any, ignore_errors: bool
    ) -> None:
        """Unplug as Nova does, and delete the standbys.

        The guest is not here then, or not any more.
        """
        if not our_vifs.owned(network_info):
            super()._unplug_vifs(instance, network_info, ignore_errors)
            return
        self._pt_incoming.forget(instance.uuid)
        self._pt_servers.links_of(instance, network_info).silence()
        try:
            super()._unplug_vifs(instance, network_info, ignore_errors)
        finally:
            self._pt_standbys.unplug(instance, network_info)

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
        network_info = self._pt_startable(network_info)
        xml = super()._get_guest_xml(
            context, instance, network_info, disk_info, image_meta, rescue,
            block_device_info, mdevs, accel_info, share_info, old_guest,
        )  # fmt: skip
        return self._pt_standbys.add_to(xml, instance, network_info)

    def attach_interface(
        self, context: Any, instance: Any, image_meta: Any, vif: Any
    ) -> None:
        """Attach the standby of a pass-through port first, then as Nova does.

        :raises nova.exception.InterfaceAttachFailed: neither is attached
        """
        couples = []
        if our_vifs.owned([vif]):
            couples = self._pt_couples.own(
                instance, [vif], instance.get_network_info()
            )
        if not couples:
            super().attach_interface(context, instance, image_meta, vif)
            return
        domain = self._pt_servers.domain(instance)
        try:
            self._pt_standbys.plug(instance, [vif])
            for couple in couples:
                domain.add(standbys.element(couple))
            super().attach_interface(context, instance, image_meta, vif)
        except Exception as exc:
            self._pt_take_out(instance, vif)
            if isinstance(exc, errors.HostError):
                raise exception.InterfaceAttachFailed(
                    instance_uuid=instance.uuid
                ) from exc
            raise
        self._pt_late.note(instance.uuid)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        """Detach as Nova does, and then the standby of a pass-through port.

        :raises Exception: as Nova's; the standby is attached still
        """
        super().detach_interface(context, instance, vif)
        self._pt_take_out(instance, vif)
        if our_vifs.owned([vif]):
            self._pt_late.note(instance.uuid)

    def _pt_take_out(self, instance: Any, vif: Any) -> None:
        """Take a port's standby out of the guest and off the host.

        There may be one that was made before a second port came.
        """
        couples = self._pt_couples.own(instance, [vif])
        for couple in couples:
            try:
                domain = self._pt_servers.domain(instance)
                if coupling.link_name(vif['id']) in domain.observe().targets:
                    domain.drop(standbys.alias(couple))
            except (errors.HostError, exception.InstanceNotFound) as exc:
                LOG.warning(
                    'The standby of port %s stays until the server is '
                    'rebooted hard: %s', vif['id'], exc, instance=instance,
                )  # fmt: skip
        if couples:
            self._pt_standbys.unplug(instance, [vif])

    def _pt_is_guarded(self, port: str) -> bool:
        """Tell whether Neutron checks the addresses of a port.

        Where it does not answer it is taken to do so.
        """
        try:
            found = self.virtapi._compute.network_api.show_port(
                our_vifs.admin_context(), port
            )
            return bool(found['port'].get('port_security_enabled', True))
        except Exception as exc:
            LOG.warning(
                'Neutron does not tell of port %s, so that the addresses of '
                'its standby are checked: %s', port, exc,
            )  # fmt: skip
            return True
