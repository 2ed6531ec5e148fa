# SPDX-License-Identifier: Apache-2.0
"""Whether a pass-through NIC of a guest has a link.

Linux, Documentation/ABI/testing/sysfs-class-net (``operstate``).
"""

from nova_pt_migrate.core import errors
from nova_pt_migrate.guest import agent as agents

MOST = 64
"""Interfaces with one address that are looked at."""


def has_link(agent: agents.Agent, mac: str) -> bool | None:
    """Tell whether the NIC of this address that is no virtio one has a link.

    :returns: None if the agent may not read what tells it
    :raises errors.GuestError: it may, and does not answer, or not so
    """
    if not agent.commands() >= agents.READ_FILES:
        return None
    names = [each.name for each in agent.interfaces() if each.mac == mac]
    return any(
        agent.read(f'/sys/class/net/{name}/operstate').strip() == 'up'
        for name in names[:MOST]
        if _is_passed_through(agent, name)
    )


def _is_passed_through(agent: agents.Agent, name: str) -> bool:
    try:
        words = agent.read(f'/sys/class/net/{name}/device/uevent')
    except errors.NoSuchFile:
        # A link that the kernel itself has made.
        return False
    drivers = [
        line.removeprefix('DRIVER=')
        for line in words.splitlines()
        if line.startswith('DRIVER=')
    ]
    return drivers not in ([], ['virtio_net'])
