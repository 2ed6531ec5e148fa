# SPDX-License-Identifier: Apache-2.0
"""As many Neutron ports as a test wants, in Nova's Neutron fixture."""

import copy
import itertools
from typing import Any
import uuid

from nova.tests.functional.libvirt import base as libvirt_base

_KNOWN = libvirt_base.LibvirtNeutronFixture


class Ports:
    """Makes ports, each with its own MAC address and fixed address."""

    def __init__(self, neutron: Any) -> None:
        self._neutron = neutron
        self._numbers = itertools.count(10)
        self._profiles = itertools.cycle([{'trusted': 'true'}, {}])

    def direct(self, count: int = 1) -> list[str]:
        """Return ports of VNIC type direct, bound as hw_veb with a VLAN.

        Every other one that is made is trusted.
        """
        return [
            self._create(
                {
                    **_KNOWN.network_4_port_1,
                    'binding:profile': next(self._profiles),
                }
            )
            for _ in range(count)
        ]

    def macvtap(self, count: int = 1) -> list[str]:
        """Return ports by which guests have netdevs of VFs."""
        return [
            self._create(
                {
                    **_KNOWN.network_4_port_1,
                    'binding:vnic_type': 'macvtap',
                }
            )
            for _ in range(count)
        ]

    def switchdev(self) -> list[str]:
        """Return a port of hardware-offloaded Open vSwitch."""
        return [
            self._create(
                {
                    **_KNOWN.network_4_port_1,
                    'binding:vif_type': 'ovs',
                    'binding:profile': {'capabilities': ['switchdev']},
                }
            )
        ]

    def direct_physical(self) -> str:
        return self._create(_KNOWN.network_4_port_pf)

    def ordinary(self, count: int = 1) -> list[str]:
        return [self._create(_KNOWN.network_1_port_2) for _ in range(count)]

    def beside(self, count: int = 1) -> list[str]:
        """Return ordinary ports of the network that the VFs have."""
        ordinary = {
            **_KNOWN.network_4_port_1,
            'binding:vif_details': {'port_filter': True},
            'binding:vif_type': 'ovs',
            'binding:vnic_type': 'normal',
        }
        return [self._create(ordinary) for _ in range(count)]

    def change(self, port: str, **values: Any) -> None:
        """Let its owner, or an administrator, change it."""
        self._neutron._ports[port].update(values)

    def show(self, port: str) -> dict[str, Any]:
        return dict(self._neutron.show_port(port)['port'])

    def bindings(self, port: str) -> dict[str, str]:
        """Return the status of each binding of the port, by host."""
        return {
            host: binding['status']
            for host, binding in self._neutron._port_bindings[port].items()
        }

    def _create(self, like: dict[str, Any]) -> str:
        number = next(self._numbers)
        port = copy.deepcopy(like)
        port['id'] = str(uuid.uuid4())
        port['mac_address'] = f'52:54:00:00:00:{number:02x}'
        port['fixed_ips'][0]['ip_address'] = f'192.168.4.{number}'
        self._neutron._ports[port['id']] = {
            **port,
            'admin_state_up': True,
            'tenant_id': self._neutron.tenant_id,
        }
        return str(port['id'])
