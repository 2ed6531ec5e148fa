# SPDX-License-Identifier: Apache-2.0
"""The pairs of a server on this host: from Nova's VIFs to values.

Which standby a pass-through port has follows from the choice for it, from the
operator's uplinks and from the other ports of the server; nothing of it is
stored.
"""

from collections.abc import Callable
from collections.abc import Iterable
import dataclasses
import functools
from typing import Any

from nova.network import model as network_model
from nova.virt.libvirt import utils as libvirt_utils

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.pairs import choices
from nova_pt_migrate.compute.pairs import second_ports
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import links as host_links
from nova_pt_migrate.pairing import contract


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """What the server's machine can have.

    :ivar pcie: it has PCIe, so that a device can be hidden from the guest
    :ivar virtio: its image lets its NICs be virtio
    """

    pcie: bool
    virtio: bool


@dataclasses.dataclass(frozen=True, slots=True)
class PairedPort:
    """A pass-through port of a server with what its pairing makes of it.

    :ivar unfit: why the pairing cannot be had; it has no standby then
    :ivar uplink: where a standby of ours hangs; None for any other
    :ivar standby: the host's side of a standby of ours; None for any other
    """

    vif: our_vifs.Vif
    choice: choices.Choice
    pairing: contract.Pairing
    pair: pairs.Pair
    machine: Machine
    unfit: tuple[str, ...] = ()
    uplink: uplinks.Uplink | None = None
    standby: handover.Standby | None = None

    @property
    def here(self) -> planned.Paired:
        """Return what the planner has to know of it."""
        return planned.Paired(
            self.pair.port,
            self.pair.device,
            self.standby,
            bond=self.pairing.second_port,
            required=self.choice.standby is pairs.Need.REQUIRED,
        )

    @property
    def mtu(self) -> int | None:
        """Return the MTU of the network, if Nova knows it."""
        mtu = self.vif['network'].get_meta('mtu')
        return int(mtu) if mtu else None


class PairedPorts:
    """Finds them.

    :param settings: of this host
    :param pairings: that this host may use
    :param links: of this host
    """

    def __init__(
        self,
        settings: configuration.Settings,
        pairings: plugins.Pairings,
        links: host_links.HostLinks,
    ) -> None:
        self._settings = settings
        self._pairings = pairings
        self._links = links
        first = next(iter(pairings), 'none')
        self._default = choices.Choice(
            first, pairs.Need(settings.standby), pairs.Way(settings.bond)
        )

    def of(
        self,
        instance: Any,
        network_info: Iterable[Any],
        beside: Iterable[Any] = (),
    ) -> list[PairedPort]:
        """Return each pass-through port of ours that wants a standby.

        One that can have none here is returned as well, without one.

        :param beside: the server's other ports, where they are not given
        """
        given = list(network_info or ())
        around = second_ports.around(given, beside)
        find = functools.partial(
            second_ports.find,
            vifs=around,
            names=functools.cache(lambda: second_ports.named(instance)),
        )
        found = []
        for vif in our_vifs.owned(given):
            choice = choices.choose(
                vif,
                instance.flavor.extra_specs,
                self._default,
                self._pairings,
            )
            pairing = self._pairings.get(choice.pairing)
            if (
                pairing is not None
                and pairing.standby
                and choice.standby is not pairs.Need.NONE
            ):
                paired = self._paired(
                    vif, choice, pairing, find, _machine(instance)
                )
                found.append(_fit(paired))
        return found

    def own(
        self,
        instance: Any,
        network_info: Iterable[Any],
        beside: Iterable[Any] = (),
    ) -> list[PairedPort]:
        """Return those whose standby this driver makes."""
        return [
            paired
            for paired in self.of(instance, network_info, beside)
            if paired.standby
        ]

    def own_vifs(
        self, instance: Any, network_info: Iterable[Any] | None
    ) -> list[our_vifs.Vif]:
        """Return those of the VIFs whose standby this driver makes."""
        if not our_vifs.owned(network_info or ()):
            return []
        return [
            paired.vif
            for paired in self.own(
                instance, network_info or (), instance.get_network_info()
            )
        ]

    def _paired(
        self,
        vif: our_vifs.Vif,
        choice: choices.Choice,
        pairing: contract.Pairing,
        find: Callable[[our_vifs.Vif], our_vifs.Vif | None],
        machine: Machine,
    ) -> PairedPort:
        pair = pairs.Pair(
            port=vif['id'],
            device=vif['profile']['pci_slot'],
            mac=vif['address'],
            whole_function=vif['vnic_type']
            == network_model.VNIC_TYPE_DIRECT_PHYSICAL,
            kind=pairs.StandbyKind.NONE,
        )
        other = find(vif) if pairing.second_port else None
        if other is not None:
            pair = dataclasses.replace(
                pair,
                kind=pairs.StandbyKind.PORT,
                standby_mac=other['address'],
                standby_port=other['id'],
            )
            return PairedPort(vif, choice, pairing, pair, machine)
        network = (vif['profile'] or {}).get('physical_network', '')
        uplink = self._settings.standby_uplinks.get(network)
        alone = PairedPort(vif, choice, pairing, pair, machine)
        return alone if uplink is None else self._own(alone, uplink)

    def _own(self, paired: PairedPort, uplink: uplinks.Uplink) -> PairedPort:
        pair = paired.pair
        function = self._links.physical_function(pair.device)
        shared = function is not None and self._lies_on(uplink, function)
        own = pair.mac if paired.pairing.same_mac else pairs.twin(pair.mac)
        bridged = uplink.kind is not uplinks.Kind.MACVTAP
        return dataclasses.replace(
            paired,
            uplink=uplink,
            pair=dataclasses.replace(
                pair,
                kind=pairs.StandbyKind.OWN,
                standby_mac=own,
                on_own_pf=shared
                or any(
                    self._lies_on(uplink, name)
                    for name in self._links.netdevs(pair.device)
                ),
            ),
            standby=handover.Standby(
                link=pairs.link_name(pair.port),
                mac=pair.mac,
                filter=function if shared and bridged else None,
                uplink=self._links.way_out(uplink.kind, uplink.link),
                vlan=vlan(paired.vif),
                early=bridged,
            ),
        )

    def _lies_on(self, uplink: uplinks.Uplink, function: str) -> bool:
        return self._links.lies_on(uplink.kind, uplink.link, function)


def _fit(paired: PairedPort) -> PairedPort:
    """Return the paired, without a standby where its pairing is unfit."""
    reasons = paired.pairing.unfit(
        pairs.View(
            paired.pair,
            paired.machine.pcie,
            paired.machine.virtio,
            standby_there=False,
        )
    )
    if not reasons:
        return paired
    return dataclasses.replace(
        paired,
        pair=dataclasses.replace(paired.pair, kind=pairs.StandbyKind.NONE),
        unfit=reasons,
        uplink=None,
        standby=None,
    )


def _machine(instance: Any) -> Machine:
    machine = libvirt_utils.get_machine_type(instance.image_meta) or ''
    model = instance.image_meta.properties.get('hw_vif_model')
    return Machine(
        pcie='q35' in machine or machine.startswith('virt'),
        virtio=model in (None, 'virtio'),
    )


def vlan(vif: our_vifs.Vif) -> int | None:
    """Return the VLAN that a port is bound to, or None.

    Nova gives libvirt the VLAN of a VF from the same place
    (nova/virt/libvirt/vif.py, get_config_hw_veb).
    """
    tag = (vif['details'] or {}).get(network_model.VIF_DETAILS_VLAN)
    return int(tag) if tag and int(tag) > 0 else None
