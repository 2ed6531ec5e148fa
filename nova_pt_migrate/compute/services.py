# SPDX-License-Identifier: Apache-2.0
"""All that the hooks of one host work with, built once."""

from collections.abc import Callable
import functools
import threading
from typing import Any

from nova.virt.libvirt import driver as libvirt_driver
from oslo_log import log as logging

from nova_pt_migrate.compute.claims import arrivals
from nova_pt_migrate.compute.claims import in_use
from nova_pt_migrate.compute.claims import lease
from nova_pt_migrate.compute.claims import left_standbys
from nova_pt_migrate.compute.claims import open_ends
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.compute.pairs import neutron
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.pairs import standbys
from nova_pt_migrate.compute.recovery import interrupted
from nova_pt_migrate.compute.recovery import leftovers
from nova_pt_migrate.compute.recovery import settlement
from nova_pt_migrate.compute.recovery import worker
from nova_pt_migrate.compute.rpc import endpoint
from nova_pt_migrate.compute.rpc import peers
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import detaching
from nova_pt_migrate.compute.server import factory
from nova_pt_migrate.compute.server import healing
from nova_pt_migrate.compute.server import lost_ports
from nova_pt_migrate.compute.server import missing
from nova_pt_migrate.compute.server import moments
from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.compute.server import removals
from nova_pt_migrate.compute.server import stopping
from nova_pt_migrate.compute.server import vif_driver
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.compute.traffic import managed_bonds
from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import protocols
from nova_pt_migrate.host import events
from nova_pt_migrate.host import links
from nova_pt_migrate.host import rehearsal

LOG = logging.getLogger(__name__)


class Services:
    """The collaborators of one driver.

    :param driver: Nova's libvirt driver, which knows its libvirt host
    :ivar checking: its ``check`` is the pre-check that a thread is making
    """

    def __init__(
        self,
        driver: Any,
        settings: configuration.Settings,
        pairings: plugins.Pairings,
        networks: plugins.Networks,
    ) -> None:
        host = libvirt_driver.CONF.host
        self.settings = settings
        self.protocols = protocols.SPOKEN
        self.checking = threading.local()
        self._virtapi = driver.virtapi
        self._host = driver._host
        self._looked_back = False
        self.events = events.DeviceEvents()
        self.departures = departures.Departures()
        self.detaching = detaching.Detaching()
        self.in_use = in_use.InUse(lambda: self.compute)
        self.arrivals = arrivals.Arrivals(lambda: self.compute)
        self.stopping = stopping.Stopping(lambda: self.compute)
        self.owners = owner.Owners(
            lambda: self.stopping.begun, self.stopping.counted
        )
        self.moments = moments.Moments(self.owners)
        self.readiness_cache = readiness.ReadinessCache()
        self.links = links.HostLinks()
        self.open_ends = open_ends.OpenEnds(settings.claim_lease_interval)
        self.rehearsal = rehearsal.Rehearsal(
            driver._host.device_lookup_by_name,
            libvirt_driver.libvirt.libvirtError,
            self.links.obstacle,
            settings.plug_timeout,
        )
        self.stories = actions.Stories()
        self.tell = functools.partial(actions.Story, self.stories, host=host)
        self._build_pairs(driver, pairings, networks)
        self.healer = healing.Healer(
            self.owners,
            self.servers,
            host,
            functools.partial(self.tell, action=actions.HEAL),
            self.bonds,
            lambda context, instance, domain: lost_ports.give_up(
                self.compute,
                context,
                instance,
                domain,
                instance.get_network_info(),
            ),
        )
        self.removals = removals.Removals(
            self.events, self.departures, self.healer
        )
        self.missing = missing.MissingDevices(
            driver._host.device_lookup_by_name, self.healer.note
        )
        self._build_recovery(driver)

    def _build_pairs(
        self,
        driver: Any,
        pairings: plugins.Pairings,
        networks: plugins.Networks,
    ) -> None:
        self.paired_ports = paired_ports.PairedPorts(
            self.settings, pairings, self.links
        )
        self.standbys = standbys.Standbys(
            lambda port: neutron.is_guarded(self.compute.network_api, port),
            # Nova forgets a detached port only after its hook.
            functools.partial(
                self.open_ends.note, after=self.settings.claim_lease_interval
            ),
        )
        self.vif_driver = vif_driver.PairVIFDriver(
            driver._host,
            self.paired_ports,
            libvirt_driver.CONF.host,
            lambda address: pci_tracker.holder(
                pci_tracker.tracker(self._virtapi), address
            ),
        )
        self.prepared = self.vif_driver.pt_prepared
        self.lease = lease.Lease(
            lambda: self.compute,
            self.prepared,
            left_standbys.LeftStandbys(self.links, driver._host),
            self.open_ends,
            self.owners.turn,
        )
        self.servers = factory.Servers(
            driver, self.settings, self.events, self.paired_ports, self.links
        )
        self.bonds = managed_bonds.Bonding(self.paired_ports, networks)

    def _build_recovery(self, driver: Any) -> None:
        self.peers = peers.Peers()
        self.settlements = functools.partial(
            settlement.Settlement, driver, self.tell, self.peers.domain
        )
        self.worker = worker.RecoveryWorker(
            self.owners,
            self.settings.claim_lease_interval,
            ready=lambda: pci_tracker.is_ready(self._virtapi),
            chores={
                'Looking for servers that do not come': self.arrivals.check,
                **self._chores(),
            },
        )
        self.interrupted = interrupted.Interrupted(
            driver, self.settlements, self.worker
        )

    def _chores(self) -> dict[str, Callable[[Any], None]]:
        """Return what does not begin any more once nova-compute stops."""
        chores = {
            'Looking for live migrations that were given up': (
                lambda context: self.interrupted.take_up(context)
            ),
            'Ending what migrations hold in placement': self._end_forgotten,
            'Freeing what is held for servers elsewhere': self.lease.check,
            'Taking back devices in use': self.in_use.check,
            'Looking after servers that lack something': (
                self.healer.check_again
            ),
        }
        return {
            what: self.stopping.unless_begun(chore)
            for what, chore in chores.items()
        }

    @property
    def compute(self) -> Any:
        """Return nova.compute.manager.ComputeManager of this host."""
        return self._virtapi._compute

    def listen(self) -> None:
        """Have nova-compute answer for us, too, when it listens.

        It makes its RPC server after it has started the driver
        (nova/service.py, Service.start).
        """
        self.compute.additional_endpoints.append(
            endpoint.Endpoint(self._host, self.moments.come)
        )

    def _end_forgotten(self, context: Any) -> None:
        """Ask placement, once after the start, until all is ended.

        :raises nova.exception.NovaException: database or placement do not
            answer; it is asked again
        """
        if not self._looked_back:
            self._looked_back = leftovers.end_forgotten(self.compute, context)

    def start(self) -> None:
        """Let the threads of ours begin their work."""
        self.stories.start()
        self.moments.start()
        self.peers.start()
        self.healer.start()
        self.worker.start()

    def stop(self) -> None:
        """Begin nothing more; what is under way goes on to its end.

        Servers whose memory is not copied yet come home, for as long as Nova
        lets the driver clean up. The others are settled where their guests
        are found, when nova-compute starts again.
        """
        self.owners.close()
        self.healer.stop()
        left = {
            *self.departures.give_up(self.events.wake, stopping.GRACE),
            *self.worker.left(),
        }
        if left:
            LOG.warning(
                'nova-compute stops, and settles when it starts again the '
                'live migrations of: %s', ', '.join(sorted(left)),
            )  # fmt: skip
        self.worker.stop()
        self.moments.stop()
        self.peers.stop()
        self.stories.stop()
