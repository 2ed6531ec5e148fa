# SPDX-License-Identifier: Apache-2.0
"""From Nova's instances to the servers that this driver acts on."""

from collections.abc import Callable
import time
from typing import Any

from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.server import devices
from nova_pt_migrate.compute.server import notice
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.traffic import host_side
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import pairs
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
    ) -> devices.Server:
        """Return the devices of an instance on this host.

        :param network_info: its VIFs as bound on this host; those of its
            information cache if not given
        :param reporter: takes down what the user is told
        :raises nova.exception.InstanceNotFound: its domain is not here
        """
        domain = self.domain(instance)
        if network_info is None:
            network_info = instance.get_network_info()
        return devices.Server(
            instance,
            domain,
            self._driver.vif_driver,
            self.xml_of(instance),
            self._settings,
            self.pairs_of(instance, domain, network_info),
            reporter=reporter,
            guard=self._guard,
        )

    def notice_to(
        self,
        instance: Any,
        reporter: phases.Reporter | None,
        network_info: Any,
    ) -> notice.Notice:
        """Return what tells an instance on this host of an unplug.

        :param network_info: its VIFs as bound on this host
        :param reporter: takes down what the user is told
        :raises nova.exception.InstanceNotFound: its domain is not here
        """
        ports = self.ports(instance, network_info)
        return notice.Notice(
            instance,
            self.domain(instance),
            self._settings,
            {paired.pair.port for paired in ports},
            reporter=reporter,
        )

    def pairs_of(
        self, instance: Any, domain: interfaces.Domain, network_info: Any
    ) -> host_side.HostSide:
        """Return the pairs of an instance on this host.

        :param network_info: its VIFs as bound on this host
        """
        return host_side.HostSide(
            instance,
            self.ports(instance, network_info),
            self.observer(instance, domain),
            self._links,
            both=self._settings.mac_filters == 'both',
            pause=self._pause,
        )

    def links_of(self, instance: Any, network_info: Any) -> host_side.HostSide:
        """Return the pairs of an instance that need not be here.

        Only what is the host's is switched.
        """
        return self.host_only(instance, self.ports(instance, network_info))

    def arriving(
        self, instance: Any, network_info: Any
    ) -> Callable[[turns.Turn], None]:
        """Return what switches the pairs when the guest begins to run here.

        :param network_info: its VIFs as bound on this host
        """
        ports = self.ports(instance, network_info)
        return lambda turn: (
            self.within(turn).host_only(instance, ports).arrive()
        )

    def host_only(
        self, instance: Any, ports: list[paired_ports.PairedPort]
    ) -> host_side.HostSide:
        """Return these pairs, of which only what is the host's is switched."""
        return host_side.HostSide(
            instance,
            ports,
            None,
            self._links,
            both=self._settings.mac_filters == 'both',
        )

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
