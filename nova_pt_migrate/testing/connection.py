# SPDX-License-Identifier: Apache-2.0
"""A virConnect of the double: one client of one host's libvirt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import client as clients
from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import hosts as all_hosts
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import node_device

Callback = Callable[..., None]


class Connection(clients.Client):
    """Nova's fake connection to a hypervisor of the double."""

    def __init__(
        self,
        uri: str | None = None,
        *args: Any,
        hosts: all_hosts.Hosts,
        **kwargs: Any,
    ) -> None:
        super().__init__(uri, *args, hosts=hosts, **kwargs)
        self._subscriptions: list[tuple[int, Callback, Any]] = []
        self.hypervisor.listeners.append(self._emit)

    def again(self) -> Connection:
        """Return a new client of the same host, as after a restart."""
        return Connection(
            self._uri,
            version=self.fakeLibVersion,
            hv_version=self.fakeVersion,
            hostname=self.hostname,
            host_info=self.host_info,
            pci_info=self.pci_info,
            mdev_info=self.mdev_info,
            vdpa_info=self.vdpa_info,
            hosts=self._hosts,
        )

    def domainEventRegisterAny(  # noqa: N802
        self, dom: Any, eventid: int, callback: Callback, opaque: Any
    ) -> int:
        self._subscriptions.append((eventid, callback, opaque))
        return len(self._subscriptions) - 1

    def domainEventDeregisterAny(self, number: int) -> int:  # noqa: N802
        self._subscriptions[number] = (-1, lambda *_: None, None)
        return 0

    def defineXML(self, xml: str) -> domains.Domain:  # noqa: N802
        with self.calling('defineXML', None, (), {}):
            return domains.Domain(self, self.hypervisor.define(xml))

    def createXML(self, xml: str, flags: int) -> domains.Domain:  # noqa: N802
        with self.calling('createXML', None, (), {}):
            return domains.Domain(self, self.hypervisor.receive(xml, None))

    def lookupByUUIDString(self, uuid: str) -> domains.Domain:  # noqa: N802
        with self.calling('lookupByUUIDString', None, (), {}):
            return domains.Domain(self, self.hypervisor.find(uuid))

    def listAllDomains(  # noqa: N802
        self, flags: int = 0
    ) -> list[domains.Domain]:
        active = flags & fakelibvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
        inactive = flags & fakelibvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE
        with self.calling('listAllDomains', None, (), {}):
            return [
                domains.Domain(self, machine)
                for machine in list(self.hypervisor.machines.values())
                if machine.defined
                and (not flags or (active if machine.active else inactive))
            ]

    def nodeDeviceLookupByName(self, name: str) -> Any:  # noqa: N802
        found = super().nodeDeviceLookupByName(name)
        if isinstance(found, fakelibvirt.FakePCIDevice):
            return node_device.NodeDevice(self, found)
        return found

    def _emit(
        self, machine: machines.Machine, event: int, told: tuple[Any, ...]
    ) -> None:
        for eventid, callback, opaque in list(self._subscriptions):
            if self._alive and eventid == event and machine.defined:
                domain = domains.Domain(self, machine)
                callback(self, domain, *told, opaque)
