# SPDX-License-Identifier: Apache-2.0
"""Keep the bonds that this driver makes in guests, and undo them.

Which bonds were made is written down with the server before anything is
written in its guest, so that they can be undone when nobody wants them any
more, whatever happened meanwhile and wherever the server is then. Where that
is lost it is written down again as long as the bond is wanted; a bond of
which nothing is known is left to the guest, where it works on.

These bonds get their addresses by DHCP. None is made for a port with a subnet
that has no DHCP, and one that is there is left as it is.
"""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import system_metadata
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import reasons
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import management

LOG = logging.getLogger(__name__)


class Bonding:
    """Makes, keeps and undoes the bonds of servers.

    :param finder: finds the pairs of a server
    :param networks: the network managers that are known
    """

    def __init__(
        self,
        finder: paired_ports.PairedPorts,
        networks: plugins.Networks,
    ) -> None:
        self._finder = finder
        self._networks = networks
        self._told: dict[str, tuple[str, ...]] = {}

    def is_concerned(
        self, instance: Any, ports: Iterable[paired_ports.PairedPort]
    ) -> bool:
        """Tell whether a server has, or is to have, bonds of ours."""
        return bool(
            system_metadata.read(instance, system_metadata.BONDS)
            or _wanted(ports)
        )

    def keep(
        self,
        instance: Any,
        tell: Callable[[Any], None],
        agent_of: Callable[[Any], agents.Agent | None],
    ) -> bool:
        """Bring a server's bonds to what is wanted.

        :param instance: that runs on this host
        :param tell: takes what the user is told, a :class:`reasons.Failure`;
            the same problems are told once
        :param agent_of: makes a client of a server's agent, for one look;
            None if its guest does not run
        :raises errors.NotOurTurn: an operation has taken over
        :returns: something is left to do
        """
        made = system_metadata.read(instance, system_metadata.BONDS)
        ports = _wanted(self._finder.of(instance, instance.get_network_info()))
        wanted = {mac: str(c.pair.standby_mac) for mac, c in ports.items()}
        problems: list[str] = []
        for mac, standby_mac in (made | wanted).items():
            agent = agent_of(instance)
            if agent is None:
                return False
            lost = _lost(ports[mac]) if mac in ports else ()
            if lost:
                problems += lost
                continue
            bonds = management.Management(agent, self._networks.values())
            if mac in wanted:
                system_metadata.put(
                    instance, system_metadata.BONDS, mac, standby_mac
                )
                problems += bonds.keep(
                    mac, standby_mac, ports[mac].mtu
                ).problems
                continue
            found = bonds.undo(mac, standby_mac).problems
            problems += found
            if not found:
                system_metadata.drop(instance, system_metadata.BONDS, mac)
        self._tell(instance, tuple(problems), tell)
        return bool(problems)

    def _tell(
        self,
        instance: Any,
        problems: tuple[str, ...],
        tell: Callable[[Any], None],
    ) -> None:
        if self._told.get(instance.uuid, ()) != problems:
            for problem in problems:
                LOG.warning(
                    'The bond in the guest is not as it should be: %s',
                    problem, instance=instance,
                )  # fmt: skip
            if problems:
                tell(
                    reasons.Failure(reasons.Reason.NO_BOND, ' '.join(problems))
                )
        if problems:
            self._told[instance.uuid] = problems
        else:
            self._told.pop(instance.uuid, None)


def _wanted(
    ports: Iterable[paired_ports.PairedPort],
) -> dict[str, paired_ports.PairedPort]:
    """Return those for which a bond is to be made, by MAC address."""
    return {
        paired.pair.mac: paired
        for paired in ports
        if paired.pairing.second_port
        and paired.pair.kind is pairs.StandbyKind.OWN
        and paired.choice.bond is pairs.Way.MANAGE
        and paired.pair.standby_mac is not None
    }


def _lost(paired: paired_ports.PairedPort) -> tuple[str, ...]:
    """Say which addresses a bond would lose, since it asks for them by DHCP.

    What Nova knows of a subnet is what Neutron said when the port was looked
    at last (nova/network/neutron.py, _get_subnets_from_port); an older Nova
    did not keep it, and nothing is said then.
    """
    port = paired.pair.port
    return tuple(
        f'Port {port} has {_addresses(subnet)} of subnet {subnet["cidr"]}, '
        f'which is without DHCP, so that a bond that is made here does not '
        f'get it: make the bond in the guest, with all addresses of the '
        f'port, and set pt_migrate:bond to observe.'
        for subnet in paired.vif['network']['subnets']
        if subnet['ips'] and subnet.get_meta('enable_dhcp') is False
    )


def _addresses(subnet: Any) -> str:
    return ' and '.join(str(ip['address']) for ip in subnet['ips'])
