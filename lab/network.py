# SPDX-License-Identifier: Apache-2.0
"""The closed network: one namespace, a management and a data bridge.

Nothing in it reaches the machine's own interfaces. Each compute host has a
tap on either bridge; control plane and probe live in the namespace itself.
"""

from lab import settings
from lab import shell
from lab import stages

BRIDGES = {'br-mgmt': 'mg', 'br-data': 'dt'}


def tap(bridge: str, host: settings.Host) -> str:
    """Return the name of the host's tap on a bridge."""
    return f'{BRIDGES[bridge]}{host.number}'


def exists(setup: settings.Settings) -> bool:
    """True if the namespace is there."""
    lines = shell.run(['ip', 'netns', 'list'], timeout=30).splitlines()
    return any(line.split()[0] == setup.netns for line in lines if line)


def create(setup: settings.Settings) -> None:
    """Make the namespace with all that is in it, or none of it."""
    remove(setup)
    shell.run(['ip', 'netns', 'add', setup.netns], timeout=30)
    commands = ['link set lo up']
    for bridge, address in (
        ('br-mgmt', setup.control),
        ('br-data', setup.gateway),
    ):
        commands += [
            f'link add {bridge} type bridge forward_delay 0',
            f'link set {bridge} up',
            f'addr add {address}/24 dev {bridge}',
        ]
        for host in setup.hosts:
            name = tap(bridge, host)
            commands += [
                f'tuntap add {name} mode tap vnet_hdr',
                f'link set {name} master {bridge}',
                f'link set {name} up',
            ]
    shell.run(
        ['ip', '-n', setup.netns, '-batch', '-'],
        timeout=60,
        input='\n'.join(commands) + '\n',
    )


def remove(setup: settings.Settings) -> None:
    """Delete the namespace, and with it all interfaces in it."""
    if exists(setup):
        shell.run(['ip', 'netns', 'delete', setup.netns], timeout=30)


def _complete(setup: settings.Settings) -> bool:
    if not exists(setup):
        return False
    links = shell.run(['ip', '-n', setup.netns, '-br', 'link'], timeout=30)
    names = {line.split()[0] for line in links.splitlines()}
    wanted = {*BRIDGES} | {
        tap(bridge, host) for bridge in BRIDGES for host in setup.hosts
    }
    return wanted <= names


STAGES = [stages.Stage('closed network', create, _complete)]
