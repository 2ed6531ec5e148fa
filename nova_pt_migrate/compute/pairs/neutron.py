# SPDX-License-Identifier: Apache-2.0
"""Ask Neutron about pairs over two ports: from its answers to values.

What tenants can write in them is taken apart into addresses and UUIDs; other
words are not taken over.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from concurrent import futures
import ipaddress
import threading
from typing import Any
from typing import TypeVar
import uuid

from nova.network import neutron as neutron_api
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text
from nova_pt_migrate.core import two_ports

LOG = logging.getLogger(__name__)
ANSWER = 15.0
"""Seconds that all questions of one look may take."""
DISTRIBUTED = {
    'network:router_interface_distributed',
    'network:router_centralized_snat',
}
INTERFACES = {
    'network:router_interface',
    'network:ha_router_replicated_interface',
}
OF_OVN = 'network:distributed'
"""Who owns the port of OVN's metadata agent in a network."""
OWNERS = sorted({*DISTRIBUTED, *INTERFACES, OF_OVN})
PORT_FIELDS = [
    'id', 'network_id', 'device_id', 'mac_address', 'admin_state_up',
    'fixed_ips', 'allowed_address_pairs', 'port_security_enabled',
    'security_groups', 'binding:vif_details',
]  # fmt: skip
Answer = TypeVar('Answer')
Found = Mapping[str, Any]


def ask(
    ports: Collection[paired_ports.PairedPort],
) -> dict[str, two_ports.TwoPorts]:
    """Return what Neutron says of pairs over two ports.

    Three questions, however many pairs there are. It has only so much time:
    whoever asked for the live migration waits.

    :returns: by the UUID of the pass-through port
    :raises errors.HostError: it does not answer, or not in its words
    """
    if not ports:
        return {}
    try:
        return _bounded(lambda: _ask(ports), ANSWER)
    except futures.TimeoutError as exc:
        raise errors.HostError(
            f'Neutron has not answered for {ANSWER:g} s'
        ) from exc
    except Exception as exc:
        raise errors.HostError(
            f'Neutron gives no answer of use '
            f'({type(exc).__name__}: {text.shown(exc)})'
        ) from exc


def is_guarded(network_api: Any, port: str) -> bool:
    """Tell whether Neutron checks the addresses of a port.

    Where it does not answer it is taken to do so. Raises nothing.

    :param network_api: nova.network.neutron.API
    :param port: its UUID
    """
    try:
        found = network_api.show_port(our_vifs.admin_context(), port)
        return bool(found['port'].get('port_security_enabled', True))
    except Exception as exc:
        LOG.warning(
            'Neutron does not tell of port %s, so that the addresses of its '
            'standby are checked: %s', port, exc,
        )  # fmt: skip
        return True


def _bounded(call: Callable[[], Answer], seconds: float) -> Answer:
    """Return what a call returns in time; it goes on alone otherwise.

    :raises futures.TimeoutError: it does not return in time
    """
    answer: futures.Future[Answer] = futures.Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as exc:
            answer.set_exception(exc)

    threading.Thread(
        target=run, name='pt_migrate-neutron', daemon=True
    ).start()
    return answer.result(seconds)


def _ask(
    ports: Collection[paired_ports.PairedPort],
) -> dict[str, two_ports.TwoPorts]:
    client = neutron_api.get_client(our_vifs.admin_context(), admin=True)
    wanted = [
        port
        for paired in ports
        for port in (paired.pair.port, paired.pair.standby_port)
    ]
    known = {
        port['id']: port
        for port in client.list_ports(id=wanted, fields=PORT_FIELDS)['ports']
    }
    networks = sorted({port['network_id'] for port in known.values()})
    around = client.list_ports(
        network_id=networks,
        device_owner=OWNERS,
        fields=['network_id', 'device_owner'],
    )['ports']
    standbys = [known[str(paired.pair.standby_port)] for paired in ports]
    rules = _rules(client, map(_port, standbys))
    return {
        paired.pair.port: _two_ports(
            known[paired.pair.port], standby, around, rules
        )
        for paired, standby in zip(ports, standbys, strict=True)
    }


def _rules(
    client: Any, standbys: Iterable[two_ports.Port]
) -> dict[str, list[Any]]:
    """Return the rules of the groups that are enforced, by group."""
    groups = sorted(
        {group for port in standbys if port.filtered for group in port.groups}
    )
    if not groups:
        return {}
    found = client.list_security_groups(
        id=groups, fields=['id', 'security_group_rules']
    )['security_groups']
    return {group['id']: group['security_group_rules'] for group in found}


def _two_ports(
    primary: Found,
    standby: Found,
    around: Iterable[Found],
    rules: Mapping[str, list[Any]],
) -> two_ports.TwoPorts:
    network = _uuid(primary['network_id'])
    owners = {
        port['device_owner']
        for port in around
        if port['network_id'] == network
    }
    first, second = _port(primary), _port(standby)
    return two_ports.TwoPorts(
        server=_uuid(primary['device_id']),
        network=network,
        primary=first,
        standby=second,
        router=_router(owners, standby),
        all_passes=_all_passes(
            {pair.ip.version for pair in first.fixed},
            [rule for group in second.groups for rule in rules.get(group, ())],
        ),
    )


def _port(port: Found) -> two_ports.Port:
    """Take a port apart; what Neutron does not tell it enforces."""
    mac = _mac(port['mac_address'])
    secured = bool(port.get('port_security_enabled', True))
    details = port.get('binding:vif_details') or {}
    return two_ports.Port(
        id=_uuid(port['id']),
        mac=mac,
        up=bool(port.get('admin_state_up', True)),
        fixed=tuple(
            two_ports.Pair(ipaddress.ip_network(each['ip_address']), mac)
            for each in port['fixed_ips']
        ),
        allowed=tuple(
            two_ports.Pair(
                ipaddress.ip_network(each['ip_address'], strict=False),
                _mac(each.get('mac_address') or mac),
            )
            for each in port.get('allowed_address_pairs') or ()
        ),
        secured=secured,
        filtered=secured and bool(details.get('port_filter', True)),
        groups=tuple(_uuid(g) for g in port.get('security_groups') or ()),
    )


def _router(owners: set[str], standby: Found) -> two_ports.Router | None:
    """Tell which kind of router a network has, if it is one to be named."""
    if owners & DISTRIBUTED:
        return two_ports.Router.DVR
    details = standby.get('binding:vif_details') or {}
    drivers = (details.get('bound_drivers') or {}).values()
    if owners & INTERFACES and (OF_OVN in owners or 'ovn' in drivers):
        return two_ports.Router.OVN
    return None


def _all_passes(versions: set[int], rules: Iterable[Any]) -> bool:
    """True if rules let everything through, in both directions."""
    passing = {
        (rule.get('direction'), rule.get('ethertype'))
        for rule in rules
        if isinstance(rule, Mapping) and _is_open(rule)
    }
    return all(
        (direction, f'IPv{version}') in passing
        for direction in ('ingress', 'egress')
        for version in versions or {4}
    )


def _is_open(rule: Found) -> bool:
    prefix = rule.get('remote_ip_prefix')
    return (
        rule.get('protocol') in (None, 'any')
        and rule.get('remote_group_id') is None
        and rule.get('remote_address_group_id') is None
        and (prefix is None or str(prefix).endswith('/0'))
    )


def _mac(value: object) -> str:
    found = text.mac(value)
    if found is None:
        raise ValueError(f'{value} is no MAC address')
    return found


def _uuid(value: object) -> str:
    return str(uuid.UUID(str(value)))
