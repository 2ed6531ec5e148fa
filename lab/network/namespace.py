# SPDX-License-Identifier: Apache-2.0
"""The closed network: one namespace, a management and a data bridge.

Nothing in it reaches the machine's own interfaces. Each compute host has one
tap on the management bridge and two on the data bridge; control plane and
probe live in the namespace itself.
"""

from lab import settings
from lab import shell
from lab import stages

MANAGEMENT = 'mg'
DATA = 'dt'
SECOND = 'up'
NETS = ('10.9.0', '10.10.0')
"""Both of the data bridge; the address in one is of a MAC's last two bytes."""
VLAN = 110
VLAN_NET = '10.11.0'
"""A VLAN on the data bridge, and its net; see lab.network.vlan."""
TAPS = {MANAGEMENT: 'br-mgmt', DATA: 'br-data', SECOND: 'br-data'}
"""The bridge of each NIC of a host."""


def tap(nic: str, host: settings.Host) -> str:
    """Return the name of the tap of one of the host's NICs."""
    return f'{nic}{host.number}'


def gateway(address: str) -> str:
    """Return the address of the closed network's side in a guest's net."""
    return f'{address.rpartition(".")[0]}.1'


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
    commands.append(f'addr add {NETS[1]}.1/24 dev br-data')
    for nic, bridge in TAPS.items():
        for host in setup.hosts:
            name = tap(nic, host)
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
    wanted = {*TAPS.values()} | {
        tap(nic, host) for nic in TAPS for host in setup.hosts
    }
    return wanted <= names


STAGES = [stages.Stage('closed network', create, _complete)]
