# SPDX-License-Identifier: Apache-2.0
"""What the databases hold of a server.

They are read directly, because what Nova, Neutron and Placement keep there
and do not show is what a leak is made of.
"""

import collections.abc
import dataclasses

from lab import settings
from lab.cloud import daemons
from lab.judge import verdict
from lab.observe import parsing

# One session for all three; a section starts with a row of '== NAME'.
QUERY = """
SELECT '== devices';
SELECT n.hypervisor_hostname, d.address, d.status
FROM nova_cell1.pci_devices d
JOIN nova_cell1.compute_nodes n ON n.id = d.compute_node_id
WHERE d.deleted = 0 AND d.instance_uuid = '{server}'
ORDER BY 1, 2;
SELECT '== bindings';
SELECT b.port_id, b.host, b.status, b.vnic_type,
    COALESCE(JSON_VALUE(b.profile, '$.pci_slot'), '')
FROM neutron.ml2_port_bindings b
JOIN neutron.ports p ON p.id = b.port_id
WHERE p.device_id = '{server}';
SELECT '== allocations';
SELECT DISTINCT r.name
FROM placement.allocations a
JOIN placement.resource_providers r ON r.id = a.resource_provider_id
WHERE a.consumer_id IN ({consumers});
"""


@dataclasses.dataclass(frozen=True)
class Records:
    """Rows that name the server."""

    devices: tuple[verdict.Device, ...]
    bindings: tuple[verdict.Binding, ...]
    allocations: tuple[str, ...]


def observe(
    setup: settings.Settings,
    server: str,
    migrations: collections.abc.Iterable[str],
) -> Records:
    """Read the records of a server and of its migrations."""
    consumers = ', '.join(f"'{uuid}'" for uuid in (server, *migrations))
    query = QUERY.format(server=server, consumers=consumers)
    return read(daemons.sql(setup, query))


def read(printed: str) -> Records:
    """Read what QUERY printed: sections of rows of tabbed cells."""
    rows = {
        name: [line.split('\t') for line in lines]
        for name, lines in parsing.sections(printed).items()
    }
    return Records(
        devices=tuple(verdict.Device(*row) for row in rows['devices']),
        bindings=tuple(verdict.Binding(*row) for row in rows['bindings']),
        allocations=tuple(row[0] for row in rows['allocations']),
    )
