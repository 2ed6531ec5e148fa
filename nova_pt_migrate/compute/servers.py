# SPDX-License-Identifier: Apache-2.0
"""From Nova's instances to the servers that this driver acts on."""

from typing import Any

from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.compute import configuration
from nova_pt_migrate.compute import phases
from nova_pt_migrate.compute import ports
from nova_pt_migrate.compute import server
from nova_pt_migrate.host import domain as host_domain
from nova_pt_migrate.host import events


class Servers:
    """The servers of this host.

    :param driver: Nova's libvirt driver
    :param device_events: where libvirt's device events arrive
    """

    def __init__(
        self,
        driver: Any,
        settings: configuration.Settings,
        device_events: events.DeviceEvents,
    ) -> None:
        self._driver = driver
        self._settings = settings
        self._events = device_events

    def of(
        self, instance: Any, teller: phases.Teller | None = None
    ) -> server.Server:
        """Return the devices of an instance on this host.

        :param teller: takes down what the user is told
        :raises nova.exception.InstanceNotFound: its domain is not here
        """
        return server.Server(
            instance,
            self.domain(instance),
            self._driver.vif_driver,
            lambda vif: self.config(instance, vif).to_xml(),
            self._settings,
            teller=teller,
        )

    def domain(self, instance: Any) -> host_domain.LibvirtDomain:
        """Return the domain of an instance.

        :raises nova.exception.InstanceNotFound: it is not here
        """
        return host_domain.LibvirtDomain(
            self._driver._host.get_guest(instance)._domain,
            libvirt_driver.libvirt,
            self._events,
        )

    def config(self, instance: Any, vif: ports.Vif) -> Any:
        """Return Nova's libvirt configuration of a VIF."""
        return self._driver.vif_driver.get_config(
            instance,
            vif,
            instance.image_meta,
            instance.flavor,
            libvirt_driver.CONF.libvirt.virt_type,
        )
