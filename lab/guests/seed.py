# SPDX-License-Identifier: Apache-2.0
"""The config drive of a guest, as Nova makes it.

nova/virt/netutils.py (get_network_metadata) and nova/api/metadata/base.py:
the port that is passed through is a link of type ``hw_veb``, the standby that
the compute host makes is none, since Neutron does not know it.
"""

import json
import pathlib
import tempfile
from typing import Any

from lab import settings
from lab import shell
from lab.guests import wires

VERSIONS = ('2018-08-27', 'latest')
UUID = '5f0c9a7e-31b6-4d0e-9f7c-000000000001'
SIZE = '1024'  # KiB


def network_data() -> dict[str, Any]:
    """Return what Nova tells of the two ports of the server."""
    links, networks = [], []
    for number, (mac, kind) in enumerate(
        ((wires.PRIMARY, 'hw_veb'), (wires.OTHER, 'ovs'))
    ):
        mtu = wires.MTU if mac == wires.PRIMARY else 1500
        port = f'{number}e1c3a52-7d40-4b8f-a6b1-000000000001'
        links.append(
            {
                'id': f'tap{port[:11]}',
                'vif_id': port,
                'type': kind,
                'mtu': mtu,
                'ethernet_mac_address': mac,
            }
        )
        networks.append(
            {
                'id': f'network{number}',
                'type': 'ipv4_dhcp',
                'link': f'tap{port[:11]}',
                'network_id': f'{number}a0b6d1f-58c2-4e3d-8b57-000000000001',
            }
        )
    return {'links': links, 'networks': networks, 'services': []}


def files(vendor_data: str, user_data: str, name: str) -> dict[str, str]:
    """Return the files of the drive by their path.

    :param vendor_data: of the cloud, a JSON document; none if empty
    :param user_data: of the tenant, a document; none if empty
    :param name: of the server
    """
    meta = {
        'uuid': UUID,
        'name': name,
        'hostname': name,
        'availability_zone': 'nova',
        'launch_index': 0,
        'project_id': '7d0f9c1e5b8a4c2f9e6d3b1a00000001',
        'devices': [],
    }
    each = {
        'meta_data.json': json.dumps(meta),
        'network_data.json': json.dumps(network_data()),
        'vendor_data.json': vendor_data or '{}',
        **({'user_data': user_data} if user_data else {}),
    }
    return {
        f'openstack/{version}/{file}': content
        for version in VERSIONS
        for file, content in each.items()
    }


def make(
    setup: settings.Settings, target: pathlib.Path, content: dict[str, str]
) -> None:
    """Make the drive with these files, a FAT file system without a table."""
    target.unlink(missing_ok=True)
    shell.in_tree(setup, 'mkfs.vfat', '-n', 'config-2', '-C', target, SIZE)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = pathlib.Path(name)
        for path, text in content.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        shell.in_tree(setup, 'mcopy', '-s', '-i', target, folder / 'openstack',
                 '::/')  # fmt: skip
