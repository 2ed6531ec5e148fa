# SPDX-License-Identifier: Apache-2.0
"""From Nova's instances to the servers that this driver acts on."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import time
from typing import Any

from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.server import bringing
from nova_pt_migrate.compute.server import exchange
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.compute.server import vif_driver
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.traffic import guest_side
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import act
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import order
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import waits
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.host import agent as host_agent
from nova_pt_migrate.host import domain as host_domain
from nova_pt_migrate.host import events


class Servers:
    """The servers of this host.

    :param driver: Nova's libvirt driver
    :param device_events: where libvirt's device events arrive
    :param finder: finds the pairs of a server
    :param links: the host's netdevs
    :param turn: in which all is done; None in an operation
    """

    def __init__(
        self,
        driver: Any,
        settings: configuration.Settings,
        device_events: events.DeviceEvents,
        finder: paired_ports.PairedPorts,
        links: interfaces.Links,
        turn: turns.Turn | None = None,
    ) -> None:
        self._driver = driver
        self._settings = settings
        self._events = device_events
        self._finder = finder
        self._turn = turn
        self._guard: turns.Guard = turn.guard if turn else turns.unguarded
        self._pause = turn.pause if turn else time.sleep
        self._links: interfaces.Links = self._guard(links)
        self._parts = (driver, settings, device_events, finder, links)

    def within(self, turn: turns.Turn) -> 'Servers':
        """Return the same servers; what is done to them is in turn.

        Each step on host or guest raises errors.NotOurTurn when it is too
        late for it.
        """
        return Servers(*self._parts, turn)

    def of(
        self,
        instance: Any,
        reporter: phases.Reporter | None = None,
        network_info: Any = None,
    ) -> bringing.Server:
        """Return an instance on this host, with devices, links and guest.

        :param network_info: its VIFs as bound on this host; those of its
            information cache if not given
        :param reporter: takes down what the user is told
        :raises nova.exception.InstanceNotFound: its domain is not here
        """
        domain = self.domain(instance)
        if network_info is None:
            network_info = instance.get_network_info()
        ports = self.ports(instance, network_info)
        looks = self.observer(instance, domain)
        wiring = vif_driver.VifWiring(
            self._driver.vif_driver, instance, our_vifs.owned(network_info)
        )
        settings, xml_of = self._settings, self.xml_of(instance)
        return bringing.Server(
            instance,
            act.Hands(
                self._links,
                domain,
                self._guard(wiring),
                guest_side.GuestSide(ports, looks),
                waits.Time(time.monotonic, self._pause),
                unplug=settings.unplug_timeout,
                retry=settings.unplug_retry_interval,
            ),
            ports,
            looks,
            xml_of,
            settings,
            reporter,
            lambda others: exchange.Exchange(
                instance, domain, wiring, xml_of, others
            ),
        )

    def elsewhere(
        self,
        instance: Any,
        ports: Sequence[paired_ports.PairedPort],
        seen: Mapping[str, planned.Seen] | None = None,
    ) -> bringing.Server:
        """Return an instance that need not be here.

        :param ports: as bound on this host; only what is the host's of them
            is switched
        :param seen: their links as they were seen before, by port
        """
        return bringing.Server(
            instance,
            act.Hands(self._links),
            ports,
            None,
            self.xml_of(instance),
            self._settings,
            seen=seen,
        )

    def switching(
        self,
        instance: Any,
        ports: Sequence[paired_ports.PairedPort],
        seen: Mapping[str, planned.Seen] | None = None,
    ) -> Callable[[turns.Turn, order.Place], bool]:
        """Return what brings the host's side of a guest's pairs to a place.

        What was seen the last time is known the next; what has failed is
        logged.

        :param ports: as bound on this host
        :param seen: their links as they were seen before, by port
        """

        def switch(turn: turns.Turn, place: order.Place) -> bool:
            nonlocal seen
            server = self.within(turn).elsewhere(instance, ports, seen)
            failures = server.bring(place)
            seen = server.seen
            return not failures

        return switch

    def ports(
        self, instance: Any, network_info: Any
    ) -> list[paired_ports.PairedPort]:
        """Return those pass-through ports that have a standby."""
        return [
            paired
            for paired in self._finder.of(instance, network_info)
            if paired.pair.kind is not pairs.StandbyKind.NONE
        ]

    def agent(self, instance: Any) -> agents.Agent | None:
        """Return the agent of an instance for one look.

        :returns: None if its guest does not run
        :raises nova.exception.InstanceNotFound: its domain is not here
        """
        guest = self._driver._host.get_guest(instance)
        return self._agent(guest._domain) if guest.is_active() else None

    def _agent(self, domain: Any) -> agents.Agent:
        channel: interfaces.AgentChannel = host_agent.LibvirtChannel(
            domain, libvirt_driver.libvirt
        )
        return agents.Agent(
            self._turn.guard_asking(channel) if self._turn else channel,
            time.monotonic,
            self._settings.agent_timeout,
            self._pause,
        )

    def observer(
        self, instance: Any, domain: interfaces.Domain
    ) -> observer.Observer:
        """Return what looks at the pairs of an instance."""
        guest = self._driver._host.get_guest(instance)
        return observer.Observer(domain, lambda: self._agent(guest._domain))

    def domain(self, instance: Any) -> host_domain.LibvirtDomain:
        """Return the domain of an instance.

        :raises nova.exception.InstanceNotFound: it is not here
        """
        return self._guard(
            host_domain.LibvirtDomain(
                self._driver._host.get_guest(instance)._domain,
                libvirt_driver.libvirt,
                self._events,
            )
        )

    def xml_of(self, instance: Any) -> our_vifs.XmlOf:
        """Return what gives the libvirt element of a VIF of an instance."""
        return lambda vif: str(self.config(instance, vif).to_xml())

    def config(self, instance: Any, vif: our_vifs.Vif) -> Any:
        """Return Nova's libvirt configuration of a VIF."""
        return self._driver.vif_driver.get_config(
            instance,
            vif,
            instance.image_meta,
            instance.flavor,
            libvirt_driver.CONF.libvirt.virt_type,
        )
