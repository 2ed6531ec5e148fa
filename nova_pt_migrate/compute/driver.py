# SPDX-License-Identifier: Apache-2.0
"""Nova's libvirt driver, live-migrating servers with pass-through NICs.

Its hooks translate between Nova and :mod:`compute.server`; they are in
:mod:`compute.hooks`. Ports of VNIC types ``direct`` and ``direct-physical``
are ours, from the pre-check to the arrival; stock detach and re-attach handle
every other type.
"""

from typing import Any

from nova import context as nova_context
from nova import utils
from nova.objects import fields
from nova.virt import event as virt_event
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import event as libvirt_event
from oslo_log import log as logging

from nova_pt_migrate.compute import services
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import recalled
from nova_pt_migrate.compute.hooks import destination
from nova_pt_migrate.compute.hooks import interfaces
from nova_pt_migrate.compute.hooks import monitor
from nova_pt_migrate.compute.hooks import operations
from nova_pt_migrate.compute.hooks import power
from nova_pt_migrate.compute.hooks import source
from nova_pt_migrate.compute.hooks import source_check
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.startup import device_spec
from nova_pt_migrate.compute.startup import explanation
from nova_pt_migrate.compute.startup import failure
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces as core_interfaces

LOG = logging.getLogger(__name__)
CONF = libvirt_driver.CONF


class PassthroughLibvirtDriver(
    source_check.SourceCheckHooks,
    source.SourceHooks,
    monitor.MonitorHooks,
    destination.DestinationHooks,
    power.PowerHooks,
    interfaces.InterfaceHooks,
    operations.OperationHooks,
):
    """``compute_driver = pt_migrate.PassthroughLibvirtDriver``."""

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        try:
            settings = configuration.load(CONF)
            pairings = plugins.pairings(settings.pairings)
            networks = plugins.networks(settings.guest_networks)
            super().__init__(virtapi, read_only)
        except errors.CannotStart as exc:
            failure.stop(str(exc))
        except ImportError as exc:
            failure.stop(
                f'{exc}; install libvirt-python into the Python environment '
                f'of nova-compute.'
            )
        self._pt = services.Services(self, settings, pairings, networks)
        self.vif_driver = self._pt.vif_driver

    def init_host(self, host: str) -> None:
        """Start as Nova does; say in one sentence why if that fails.

        :raises nova.exception.NovaException: the service must not start
        """
        try:
            super().init_host(host)
            known = self._pt_recorded(host)
            device_spec.refuse_wrong(
                CONF.pci.device_spec,
                self._get_pci_passthrough_devices,
                lambda: [device_spec.as_listed(each) for each in known],
            )
            self._pt.prepared.recall(known, recalled.vif_of)
            # Nova's tracker frees these before anybody asks it.
            for device in known:
                if device.status == fields.PciDeviceStatus.CLAIMED:
                    self._pt.lease.note(device.instance_uuid)
            if pci_tracker.tracker(self.virtapi) is not None:
                self._pt.listen()
            self._pt.start()
        except Exception as exc:
            LOG.critical(
                'nova-compute does not start: %s',
                explanation.explain(exc, self._host),
            )
            if utils.concurrency_mode_threading():
                failure.end_with_main_thread()
            raise

    def _pt_recorded(self, host: str) -> list[Any]:
        if pci_tracker.tracker(self.virtapi) is None:
            return []
        return pci_tracker.recorded(nova_context.get_admin_context(), host)

    def cleanup_host(self, host: str) -> None:
        """Stop as Nova does, and our own threads first."""
        self._pt.stop()
        super().cleanup_host(host)

    def emit_event(self, event: Any) -> None:
        """Give libvirt's events to what waits for them as well as to Nova."""
        if isinstance(event, virt_event.LifecycleEvent):
            self._pt.moments.see(event)
        if isinstance(event, libvirt_event.DeviceEvent):
            removed = isinstance(event, libvirt_event.DeviceRemovedEvent)
            if self._pt.removals.take(
                event.uuid, core_interfaces.DeviceEvent(event.dev, removed)
            ):
                # Nova would warn of one that none of its own waits for.
                self._device_event_handler.notify_waiters(event)
                return
        super().emit_event(event)
