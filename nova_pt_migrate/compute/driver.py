# SPDX-License-Identifier: Apache-2.0
"""Nova's libvirt driver, live-migrating servers with pass-through NICs.

This class translates between Nova's hooks and :mod:`compute.server`. Ports
of VNIC types ``direct`` and ``direct-physical`` are ours, from the pre-check
to the arrival; stock detach and re-attach handle every other type.
"""

import functools
from typing import Any

from nova import exception
from nova.compute import power_state
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import event as libvirt_event
from nova.virt.libvirt import guest as libvirt_guest
from oslo_log import log as logging
from oslo_serialization import jsonutils

from nova_pt_migrate.compute import configuration
from nova_pt_migrate.compute import device_spec
from nova_pt_migrate.compute import ending
from nova_pt_migrate.compute import phases
from nova_pt_migrate.compute import plugins
from nova_pt_migrate.compute import ports
from nova_pt_migrate.compute import server
from nova_pt_migrate.compute import startup
from nova_pt_migrate.compute import wide
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import ports as core_ports
from nova_pt_migrate.host import domain as host_domain
from nova_pt_migrate.host import events

LOG = logging.getLogger(__name__)
CONF = libvirt_driver.CONF


class PassthroughLibvirtDriver(libvirt_driver.LibvirtDriver):
    """``compute_driver = pt_migrate.PassthroughLibvirtDriver``."""

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        self._pt_events = events.DeviceEvents()
        try:
            self._pt_settings = configuration.load(CONF)
            self._pt_pairings = plugins.pairings(self._pt_settings.pairings)
            super().__init__(virtapi, read_only)
        except errors.CannotStart as exc:
            ending.stop(str(exc))
        except ImportError as exc:
            ending.stop(
                f'{exc}; install libvirt-python into the Python environment '
                f'of nova-compute.'
            )

    def init_host(self, host: str) -> None:
        """Start as Nova does; say in one sentence why if that fails.

        :raises nova.exception.NovaException: the service must not start
        """
        try:
            super().init_host(host)
            self._pt_check_device_spec()
        except exception.NovaException as exc:
            LOG.critical(
                'nova-compute does not start: %s',
                startup.explain(exc, self._host),
            )
            raise

    def check_can_live_migrate_source(
        self,
        context: Any,
        instance: Any,
        dest_check_data: Any,
        block_device_info: Any = None,
    ) -> Any:
        """Refuse what cannot work, with every reason, before Nova's checks.

        :raises nova.exception.MigrationPreCheckError: nothing was changed;
            Nova tries the next host
        """
        vifs = ports.owned(instance.get_network_info())
        if vifs:
            with phases.phase('look', instance.uuid, None) as phase:
                reasons = self._pt_reasons_not_ready(instance, vifs)
                if reasons:
                    phase.result = 'refused'
                    raise exception.MigrationPreCheckError(
                        reason=str(errors.Refused(reasons))
                    )
        return super().check_can_live_migrate_source(
            context, instance, dest_check_data, block_device_info
        )

    def emit_event(self, event: Any) -> None:
        """Give libvirt's device events to our watches as well as to Nova."""
        if isinstance(event, libvirt_event.DeviceEvent):
            removed = isinstance(event, libvirt_event.DeviceRemovedEvent)
            if self._pt_events.publish(
                event.uuid, core_ports.DeviceEvent(event.dev, removed)
            ):
                return
        super().emit_event(event)

    def _live_migration_operation(
        self,
        context: Any,
        instance: Any,
        dest: str,
        block_migration: bool,
        migrate_data: Any,
        guest: Any,
        device_names: list[str],
    ) -> None:
        """Migrate with a persistent XML that holds the devices.

        Nova's monitor sees from the domain how the migration ended and rolls
        back. What Nova raises here afterwards would only turn a server that
        is whole again into ERROR (driver.py:11942), so it ends here; Nova has
        logged it.
        """
        migrate = super()._live_migration_operation
        vifs = [
            vif
            for vif in ports.migrate_vifs(migrate_data)
            if ports.owned([vif.source_vif])
        ]
        if not vifs:
            migrate(
                context, instance, dest, block_migration, migrate_data,
                guest, device_names,
            )  # fmt: skip
            return
        try:
            migrate(
                context, instance, dest, block_migration, migrate_data,
                self._pt_wide_guest(instance, guest, migrate_data, vifs),
                device_names,
            )  # fmt: skip
        except Exception as exc:
            LOG.warning(
                'The live migration ends here, and the server stays where '
                'its guest runs: %s', exc, instance=instance,
            )  # fmt: skip

    def _detach_direct_passthrough_vifs(
        self, context: Any, migrate_data: Any, instance: Any
    ) -> None:
        """Unplug all our devices together; leave the others to Nova.

        :raises errors.NotUnplugged: Nova rolls back, which brings the server
            home
        """
        vifs = ports.source_vifs(migrate_data)
        if ports.owned(vifs):
            self._pt_server(instance).leave(
                ports.owned(vifs), migrate_data.migration.uuid
            )
        for vif in ports.left_to_nova(vifs):
            self.detach_interface(context, instance, vif)

    def _reattach_instance_vifs(
        self, context: Any, instance: Any, network_info: Any
    ) -> None:
        """Bring the server home: after arrival, and after a failure."""
        if ports.owned(network_info):
            self._pt_server(instance).come_home(ports.owned(network_info))
        guest = self._host.get_guest(instance)
        for vif in ports.left_to_nova(network_info):
            config = self._pt_config(instance, vif)
            if guest.get_interface_by_cfg(config) is None:
                self.attach_interface(
                    context, instance, instance.image_meta, vif
                )

    def _pt_reasons_not_ready(
        self, instance: Any, vifs: list[ports.Vif]
    ) -> list[str]:
        reasons = ports.refusals(vifs)
        if instance.power_state == power_state.PAUSED:
            reasons.append(
                f'Server {instance.uuid} is paused, and a paused guest cannot '
                f'release a device. Unpause it.'
            )
        try:
            found = self._pt_domain(instance).observe()
        except errors.HostError as exc:
            return [*reasons, f'Server {instance.uuid}: {exc}.']
        for pairing in self._pt_pairings:
            reasons.extend(pairing.reasons_not_ready(found))
        return reasons

    def _pt_wide_guest(
        self, instance: Any, guest: Any, migrate_data: Any, vifs: list[Any]
    ) -> Any:
        return libvirt_guest.Guest(
            wide.WideDomain(
                guest._domain,
                self._pt_server(instance).elements_for(vifs),
                functools.partial(
                    phases.phase,
                    'move', instance.uuid, migrate_data.migration.uuid,
                ),
            )
        )  # fmt: skip

    def _pt_server(self, instance: Any) -> server.Server:
        return server.Server(
            instance,
            self._pt_domain(instance),
            self.vif_driver,
            lambda vif: self._pt_config(instance, vif).to_xml(),
            self._pt_settings,
        )

    def _pt_domain(self, instance: Any) -> host_domain.LibvirtDomain:
        return host_domain.LibvirtDomain(
            self._host.get_guest(instance)._domain,
            libvirt_driver.libvirt,
            self._pt_events,
        )

    def _pt_config(self, instance: Any, vif: ports.Vif) -> Any:
        return self.vif_driver.get_config(
            instance,
            vif,
            instance.image_meta,
            instance.flavor,
            CONF.libvirt.virt_type,
        )

    def _pt_check_device_spec(self) -> None:
        if not CONF.pci.device_spec:
            return
        try:
            warnings = device_spec.check(
                CONF.pci.device_spec,
                jsonutils.loads(self._get_pci_passthrough_devices()),
            )
        except errors.CannotStart as exc:
            raise exception.InvalidConfiguration(str(exc)) from exc
        for warning in warnings:
            LOG.warning(warning)
