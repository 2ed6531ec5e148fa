# SPDX-License-Identifier: Apache-2.0
"""The NICs of a guest and what they hang on.

The primary is an emulated ``igb`` behind a root port: the *physical* function
and its driver, no virtual function, since nothing is passed through here. For
bonds and network managers it is a NIC like one, which is unplugged and
plugged again. It hangs with its standby on one hub, and QEMU's own network
answers there; another network has a NIC that is nobody's business.
"""

from nova_pt_migrate.core import pairs

PRIMARY = 'fa:16:3e:5a:00:01'
STANDBY = pairs.twin(PRIMARY)
OTHER = 'fa:16:3e:5a:00:09'
GATEWAY = '10.0.2.2'
NETWORK = '10.0.2.0/24'
"""Where QEMU's DHCP gives an address to each client that asks: one that comes
back with another MAC address or client ID has another."""
OTHER_NETWORK = '10.0.3.0/24'
MTU = 1442
"""Of the shared network; the standby's driver has no larger one."""
PRIMARY_ID = 'primary'
STANDBY_ID = 'standby'


def device(joined: bool) -> dict[str, str]:
    """Return what ``device_add`` takes to plug the primary.

    :param joined: it and the standby are a link of net_failover, for which
        QEMU hides it until the guest's driver knows of that; it takes none
        with functions for that, as igb has
    """
    words = {
        'driver': 'e1000e' if joined else 'igb',
        'id': PRIMARY_ID,
        'bus': 'port-primary',
        'netdev': 'net-primary',
        'mac': PRIMARY,
    }
    return {**words, 'failover_pair_id': STANDBY_ID} if joined else words


def arguments(joined: bool) -> list[str]:
    """Return QEMU's arguments for NICs and networks."""
    primary = device(joined)
    kind = primary.pop('driver')
    standby = (
        f'mac={PRIMARY},failover=on'
        if joined
        else f'mac={STANDBY},host_mtu={MTU}'
    )
    return [
        *_ports('primary', 'other', 'standby'),
        '-netdev', f'user,id=shared,net={NETWORK},restrict=on,ipv6=off',
        '-netdev', 'hubport,id=hub-shared,hubid=0,netdev=shared',
        '-netdev', 'hubport,id=net-primary,hubid=0',
        '-netdev', 'hubport,id=net-standby,hubid=0',
        '-netdev', f'user,id=net-other,net={OTHER_NETWORK},restrict=on,'
                   f'ipv6=off',
        '-device', f'virtio-net-pci,bus=port-other,netdev=net-other,'
                   f'mac={OTHER}',
        '-device', f'virtio-net-pci,bus=port-standby,netdev=net-standby,'
                   f'{standby},id={STANDBY_ID}',
        '-device', ','.join(
            [kind, *(f'{key}={value}' for key, value in primary.items())]
        ),
    ]  # fmt: skip


def _ports(*names: str) -> list[str]:
    return [
        word
        for number, name in enumerate(names, start=1)
        for word in (
            '-device',
            f'pcie-root-port,id=port-{name},chassis={number},slot={number}',
        )
    ]
