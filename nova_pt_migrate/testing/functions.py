# SPDX-License-Identifier: Apache-2.0
"""The virtual functions of one host, as the drivers of their PFs keep them.

What is set by ``ip link set PF vf NUMBER ...`` stays, whoever has the VF,
until it is set anew (Linux, net/core/rtnetlink.c, do_setvfinfo). MAC address
and VLAN are libvirt's to set while a guest has the VF by an interface; what
was there before it saves, and puts back when the VF leaves the guest (libvirt,
src/util/virnetdev.c, virNetDevSaveNetConfig and virNetDevSetNetConfig, called
in src/hypervisor/virhostdev.c, virHostdevSetNetConfig and
virHostdevRestoreNetConfig).
"""

from collections.abc import Iterable
import dataclasses
import threading
from typing import Any

from nova_pt_migrate.testing import documents


@dataclasses.dataclass(frozen=True)
class Vf:
    """What ``ip link show`` tells of a VF (Linux, struct ifla_vf_info).

    :ivar min_rate: Mbit/s, 0 for none; so is ``max_rate``
    """

    mac: str = '00:00:00:00:00:00'
    vlan: int = 0
    trusted: bool = False
    spoof_checked: bool = True
    min_rate: int = 0
    max_rate: int = 0


class Functions:
    """The VFs of one host, by PCI address.

    :param addresses: of the VFs, by the address of their PF, in their order
    :ivar at_first: as the host had them before anybody came
    :ivar changes: which VF, what of it and to what, by others than libvirt
    """

    def __init__(self, addresses: dict[str, list[str]]) -> None:
        self._lock = threading.Lock()
        self._parents = {
            vf: (pf, number)
            for pf, vfs in addresses.items()
            for number, vf in enumerate(vfs)
        }
        self.at_first = {
            vf: Vf(max_rate=number) for number, vf in enumerate(self._parents)
        }
        self._now = dict(self.at_first)
        self.changes: list[tuple[str, str, Any]] = []

    def netdev(self, address: str) -> str:
        """Return the name of the netdev of a VF's PF."""
        return f'pf_{self._parents[address][0]}'

    def number(self, address: str) -> int:
        """Return which VF of its PF it is, from 0."""
        return self._parents[address][1]

    def set_trust(self, netdev: str, number: int, trusted: bool) -> None:
        """``ip link set NETDEV vf NUMBER trust on``, or off."""
        self._set(netdev, number, trusted=trusted)

    def set_mac_and_vlan(
        self, netdev: str, number: int, mac: str, vlan: int
    ) -> None:
        """``ip link set NETDEV vf NUMBER mac MAC vlan VLAN``."""
        self._set(netdev, number, mac=mac.lower(), vlan=vlan)

    def show(self, users: Iterable[documents.Element]) -> dict[str, Vf]:
        """Return all VFs as they are now.

        :param users: the interfaces by which running guests have VFs
        """
        with self._lock:
            shown = dict(self._now)
        for element in users:
            address = documents.host_address(element)
            if element.tag == 'interface' and address in shown:
                shown[address] = dataclasses.replace(
                    shown[address], **_set_by_libvirt(element)
                )
        return shown

    def _set(self, netdev: str, number: int, **values: Any) -> None:
        (address,) = [
            vf
            for vf in self._parents
            if (self.netdev(vf), self.number(vf)) == (netdev, number)
        ]
        with self._lock:
            self._now[address] = dataclasses.replace(
                self._now[address], **values
            )
            self.changes += [(address, *each) for each in values.items()]


def _set_by_libvirt(element: documents.Element) -> dict[str, Any]:
    mac = element.find('./mac')
    tag = element.find('./vlan/tag')
    return {
        **({} if mac is None else {'mac': mac.get('address', '').lower()}),
        **({} if tag is None else {'vlan': int(tag.get('id', '0'))}),
    }
