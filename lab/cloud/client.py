# SPDX-License-Identifier: Apache-2.0
"""What the demo asks of the cloud; runs in the tree, with its clients.

    python -m lab.cloud.client create NAME HOST COUNT [KIND[+MORE] [IMAGE]]
    python -m lab.cloud.client show SERVER
    python -m lab.cloud.client migrate SERVER HOST
    python -m lab.cloud.client abort | complete | pause | unpause SERVER
    python -m lab.cloud.client image NAME FILE
    python -m lab.cloud.client delete SERVER

Each prints one JSON object. Credentials come from the environment.
"""

import collections.abc
import json
import sys
import time
import typing

import openstack

from lab.cloud import identity
from lab.network import namespace

PREFIX = 'fa:16:3e:0a:'
HOST_CHECKS = 90
FIRST, LAST = 50, 99  # of the guest's address, which is of its MAC's end

# Flavor, and whether the server has an ordinary port besides.
KINDS = {
    'plain': ('lab.small', True),
    'none': ('lab.small', False),
    'failover': ('lab.failover', False),
    'bond': ('lab.bond', False),
    'ports': ('lab.bond', True),
}
MORE = {
    'guarded': 'the ports have port security',
    'vlan': 'the network is a VLAN',
    'apart': 'each direct port has a net of its own',
}

Facts = dict[str, typing.Any]
Cloud = typing.Any  # openstacksdk is not typed


def create(
    cloud: Cloud,
    name: str,
    host: str,
    count: int,
    kind: str = 'plain',
    image: str = identity.IMAGE,
) -> Facts:
    """Boot a server with some direct ports, and with what its kind says.

    The first port has the address that the guest gives to its link.

    :param kind: of KINDS, and words of MORE behind a + each
    """
    _wait_for_host(cloud, host)
    kind, *more = kind.split('+')
    if not MORE.keys() >= set(more):
        raise LookupError(f'{more}: there are {", ".join(MORE)}')
    flavor, ordinary = KINDS[kind]
    found = cloud.network.find_network(
        identity.VLAN_NETWORK if 'vlan' in more else identity.NETWORK
    )
    number = _free_number(cloud)
    nets = [namespace.VLAN_NET] if 'vlan' in more else list(namespace.NETS)
    known = [_known(net, number) for net in nets]
    if 'apart' not in more:
        del known[1:]
    guarded = {'is_port_security_enabled': 'guarded' in more}
    ports = []
    for index in range(count + ordinary):
        direct = index >= ordinary
        ports.append(
            cloud.network.create_port(
                network_id=found.id,
                name=f'{name}-{"direct" if direct else "ordinary"}{index}',
                binding_vnic_type='direct' if direct else 'normal',
                **guarded,
                **(known.pop(0) if known else {}),
            )
        )
    server = cloud.compute.create_server(
        name=name,
        image_id=cloud.image.find_image(image).id,
        flavor_id=cloud.compute.find_flavor(flavor).id,
        networks=[{'port': port.id} for port in ports],
        host=host,
    )
    return {
        'server': server.id,
        'address': f'{nets[0]}.{number}',
        'macs': [port.mac_address for port in ports[-count:]],
    }


def show(cloud: Cloud, uuid: str) -> Facts:
    """Give the server, its migrations and events."""
    server = cloud.compute.get_server(uuid)
    migrations = [
        {'uuid': m.uuid, 'status': m.status, 'created': m.created_at}
        for m in cloud.compute.migrations(server_id=uuid)
    ]
    return {
        'status': server.status,
        'fault': (server.fault or {}).get('message', ''),
        'host': server.compute_host or '',
        'task_state': server.task_state,
        'migrations': migrations,
        'events': _events(cloud, uuid),
    }


def migrate(cloud: Cloud, uuid: str, host: str) -> Facts:
    """Ask for a live migration; does not wait for its end."""
    cloud.compute.live_migrate_server(uuid, host=host, block_migration='auto')
    return {}


def abort(cloud: Cloud, uuid: str) -> Facts:
    """Abort the live migration that a server is in."""
    server = cloud.compute.get_server(uuid)
    (migration,) = cloud.compute.server_migrations(server)
    cloud.compute.abort_server_migration(migration, server)
    return {}


def complete(cloud: Cloud, uuid: str) -> Facts:
    """Force the live migration that a server is in to complete."""
    server = cloud.compute.get_server(uuid)
    (migration,) = cloud.compute.server_migrations(server)
    cloud.compute.force_complete_server_migration(migration, server)
    return {}


def change(cloud: Cloud, uuid: str, how: str, status: str) -> Facts:
    """Pause or unpause a server, and wait until it is so."""
    getattr(cloud.compute, f'{how}_server')(uuid)
    server = cloud.compute.get_server(uuid)
    cloud.compute.wait_for_server(server, status=status, wait=120)
    return {}


def image(cloud: Cloud, name: str, file: str) -> Facts:
    """Upload an image of a guest, unless it is there."""
    if cloud.image.find_image(name) is None:
        identity.upload(cloud, name, file)
    return {}


def delete(cloud: Cloud, uuid: str) -> Facts:
    """Delete a server and its ports."""
    ports = list(cloud.network.ports(device_id=uuid))
    cloud.compute.delete_server(uuid)
    cloud.compute.wait_for_delete(
        cloud.compute.get_server(uuid), interval=2, wait=300
    )
    for port in ports:
        cloud.network.delete_port(port)
    return {}


def _wait_for_host(cloud: Cloud, host: str) -> None:
    """Wait until Nova would use a host.

    Nova disables one that has lost libvirt, and enables it again only when it
    has looked for it.
    """
    for _ in range(HOST_CHECKS):
        (service,) = cloud.compute.services(binary='nova-compute', host=host)
        if (service.status, service.state) == ('enabled', 'up'):
            return
        time.sleep(2)
    raise RuntimeError(
        f'nova-compute of {host} is {service.status} and {service.state}'
    )


def _free_number(cloud: Cloud) -> int:
    taken = {
        int(address['ip_address'].rpartition('.')[2])
        for port in cloud.network.ports()
        for address in port.fixed_ips
    }
    return next(n for n in range(FIRST, LAST + 1) if n not in taken)


def _known(net: str, number: int) -> Facts:
    """Return what makes a port's address that which the guest will take."""
    second = int(net.split('.')[1])
    return {
        'mac_address': f'{PREFIX}{second:02x}:{number:02x}',
        'fixed_ips': [{'ip_address': f'{net}.{number}'}],
    }


def _events(cloud: Cloud, uuid: str) -> list[Facts]:
    actions = [
        cloud.compute.get_server_action(action.request_id, uuid)
        for action in cloud.compute.server_actions(uuid)
    ]
    return [
        {'action': action.action}
        | {key: event.get(key) or '' for key in EVENT}
        for action in actions
        for event in action.events or ()
    ]


EVENT = ('event', 'host', 'start_time', 'finish_time', 'result', 'details')

Command = collections.abc.Callable[[Cloud, list[str]], Facts]
COMMANDS: dict[str, Command] = {
    'create': lambda cloud, a: create(cloud, a[0], a[1], int(a[2]), *a[3:]),
    'migrate': lambda cloud, a: migrate(cloud, a[0], a[1]),
    'pause': lambda cloud, a: change(cloud, a[0], 'pause', 'PAUSED'),
    'unpause': lambda cloud, a: change(cloud, a[0], 'unpause', 'ACTIVE'),
    'abort': lambda cloud, a: abort(cloud, a[0]),
    'complete': lambda cloud, a: complete(cloud, a[0]),
    'image': lambda cloud, a: image(cloud, a[0], a[1]),
    'show': lambda cloud, a: show(cloud, a[0]),
    'delete': lambda cloud, a: delete(cloud, a[0]),
}


def main(arguments: list[str]) -> None:
    cloud = openstack.connect()
    command, *rest = arguments
    print(json.dumps(COMMANDS[command](cloud, rest)))


if __name__ == '__main__':
    main(sys.argv[1:])
