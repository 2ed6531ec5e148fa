# SPDX-License-Identifier: Apache-2.0
"""Nova's libvirt driver, live-migrating servers with pass-through NICs.

Its hooks translate between Nova and :mod:`compute.server`; they are in
:mod:`compute.hooks`. Ports of VNIC types ``direct`` and ``direct-physical``
are ours, from the pre-check to the arrival; stock detach and re-attach handle
every other type.
"""

import functools
import threading
from typing import Any

from nova import context as nova_context
from nova import utils
from nova.objects import fields
from nova.virt import event as virt_event
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import event as libvirt_event
from oslo_log import log as logging

from nova_pt_migrate.compute.claims import lease
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.hooks import destination
from nova_pt_migrate.compute.hooks import interfaces
from nova_pt_migrate.compute.hooks import power
from nova_pt_migrate.compute.hooks import source
from nova_pt_migrate.compute.hooks import suspension
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.pairs import standbys
from nova_pt_migrate.compute.recovery import interrupted
from nova_pt_migrate.compute.recovery import leftovers
from nova_pt_migrate.compute.recovery import worker
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import factory
from nova_pt_migrate.compute.server import healing
from nova_pt_migrate.compute.server import vif_driver
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.startup import device_spec
from nova_pt_migrate.compute.startup import explain
from nova_pt_migrate.compute.startup import failure
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.compute.traffic import incoming
from nova_pt_migrate.compute.traffic import looks
from nova_pt_migrate.compute.traffic import managed_bonds
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces as core_interfaces
from nova_pt_migrate.host import events
from nova_pt_migrate.host import links
from nova_pt_migrate.host import rehearsal

LOG = logging.getLogger(__name__)
RUNS = virt_event.EVENT_LIFECYCLE_RESUMED
"""What tells that the CPUs of a guest that migrates run here.

libvirt calls it started when QEMU waits for its memory.
"""
CONF = libvirt_driver.CONF


class PassthroughLibvirtDriver(
    source.SourceHooks,
    destination.DestinationHooks,
    power.LifecycleHooks,
    interfaces.PairingHooks,
    suspension.SuspensionHooks,
):
    """``compute_driver = pt_migrate.PassthroughLibvirtDriver``."""

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        self._pt_events = events.DeviceEvents()
        self._pt_departures = departures.Departures()
        self._pt_looks = looks.Looks()
        self._pt_checking = threading.local()
        try:
            settings = configuration.load(CONF)
            self._pt_pairings = plugins.pairings(settings.pairings)
            networks = plugins.networks(settings.guest_networks)
            super().__init__(virtapi, read_only)
        except errors.CannotStart as exc:
            failure.stop(str(exc))
        except ImportError as exc:
            failure.stop(
                f'{exc}; install libvirt-python into the Python environment '
                f'of nova-compute.'
            )
        self._pt_allow_stock = settings.allow_stock_destination
        self._pt_links = links.HostLinks()
        self._pt_rehearsal = rehearsal.Rehearsal(
            self._host.device_lookup_by_name,
            libvirt_driver.libvirt.libvirtError,
            self._pt_links.user_of,
            settings.plug_timeout,
        )
        self._pt_couples = paired_ports.Couples(
            settings, self._pt_pairings, self._pt_links
        )
        self._pt_standbys = standbys.Standbys(
            self._pt_couples, self._pt_is_guarded
        )
        self.vif_driver = vif_driver.PairVIFDriver(
            self._host, self._pt_couples
        )
        self._pt_servers = factory.Servers(
            self,
            settings,
            self._pt_events,
            self._pt_couples,
            self._pt_links,
        )
        self._pt_bonds = managed_bonds.Bonding(
            self._pt_couples, networks, self._pt_servers.agent
        )
        self._pt_incoming = incoming.Incoming()
        self._pt_looked_back = False
        self._pt_starting = threading.local()
        self._pt_bound: set[str] = set()
        self._pt_stories = actions.Stories()
        self._pt_tell = functools.partial(
            actions.Story, self._pt_stories, host=CONF.host
        )
        self._pt_late = healing.LateReleases(
            self._pt_servers,
            CONF.host,
            functools.partial(self._pt_tell, action=actions.HEAL),
            self._pt_bonds,
        )
        self._pt_settling = worker.Settling(
            self._pt_departures,
            settings.claim_lease_interval,
            ready=lambda: pci_tracker.is_ready(virtapi),
            chores=(
                self._pt_look_for_given_up,
                self._pt_lease_look,
                self._pt_late.look_again,
            ),
        )
        self._pt_given_up = interrupted.GivenUp(self, self._pt_settling)

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
            # Nova's tracker frees these before anybody asks it.
            self._pt_bound = {
                device.instance_uuid
                for device in known
                if device.status == fields.PciDeviceStatus.CLAIMED
            }
            self._pt_settling.start()
        except Exception as exc:
            LOG.critical(
                'nova-compute does not start: %s',
                explain.explain(exc, self._host),
            )
            if utils.concurrency_mode_threading():
                failure.end_with_main_thread()
            raise

    def _pt_recorded(self, host: str) -> list[Any]:
        if pci_tracker.tracker(self.virtapi) is None:
            return []
        return pci_tracker.recorded(nova_context.get_admin_context(), host)

    def cleanup_host(self, host: str) -> None:
        """Stop as Nova does, and our own thread first."""
        self._pt_late.stop()
        self._pt_settling.stop()
        self._pt_incoming.stop()
        self._pt_stories.stop()
        super().cleanup_host(host)

    def emit_event(self, event: Any) -> None:
        """Give libvirt's events to what waits for them as well as to Nova."""
        if (
            isinstance(event, virt_event.LifecycleEvent)
            and event.transition == RUNS
        ):
            self._pt_incoming.runs(event.uuid)
        if isinstance(event, libvirt_event.DeviceEvent):
            removed = isinstance(event, libvirt_event.DeviceRemovedEvent)
            if self._pt_events.publish(
                event.uuid, core_interfaces.DeviceEvent(event.dev, removed)
            ):
                return
            if removed and not self._pt_departures.note_unwatched(
                event.uuid, event.dev
            ):
                self._pt_late.look_soon(event.uuid)
        super().emit_event(event)

    def _pt_look_for_given_up(self, context: Any) -> None:
        self._pt_given_up.look(context)

    def _pt_lease_look(self, context: Any) -> None:
        compute = self.virtapi._compute
        if not self._pt_looked_back:
            self._pt_looked_back = leftovers.end_forgotten(compute, context)
        lease.Lease(compute, self._pt_bound).look(context)
