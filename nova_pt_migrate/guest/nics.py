# SPDX-License-Identifier: Apache-2.0
"""The hardware NICs of a guest: which is free, and which has a link.

Linux, Documentation/ABI/testing/sysfs-class-net (``operstate``).
"""

import collections
from collections.abc import Collection
from collections.abc import Iterable
import json

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import replies

MOST = 64
"""Interfaces with one address that are looked at."""
SHARED = 3
"""Interfaces with one MAC address: a link and its two slaves."""


def free(
    agent: agents.Agent, mac: str, found: Iterable[pairs.Bond]
) -> str | None:
    """Return the name of the NIC of an address that is in no bond.

    Bonds, VLANs and bridges inherit the address of a NIC, and slaves have
    that of their bond.

    :param found: the guest's bonds
    :raises errors.GuestError: the agent does not tell
    """
    slaves = {slave.name for bond in found for slave in bond.slaves}
    return next(
        (
            name
            for name in _with(agent, mac)
            if name not in slaves and _is_hardware(agent, name)
        ),
        None,
    )


def has_link(agent: agents.Agent, mac: str) -> bool | None:
    """Tell whether the NIC of this address that is no virtio one has a link.

    :returns: None if the agent may not read what tells it
    :raises errors.GuestError: it may, and does not answer, or not so
    """
    try:
        return any(
            agent.read(f'/sys/class/net/{name}/operstate').strip() == 'up'
            for name in _with(agent, mac)
            if _is_passed_through(agent, name)
        )
    except errors.Denied:
        return None


def taken(
    agent: agents.Agent, found: Collection[replies.Interface]
) -> frozenset[str]:
    """Return the passed-through NICs that are used though they are a slave.

    Told by an IP address of one whose MAC address two others have as well:
    the link of a pair and its other slave.

    :param found: the guest's interfaces
    :raises errors.GuestError: the agent does not answer, or not so
    """
    count = collections.Counter(each.mac for each in found)
    used = [
        each.name
        for each in found
        if each.addressed and each.mac and count[each.mac] >= SHARED
    ]
    return frozenset(
        name for name in used[:MOST] if _is_passed_through(agent, name)
    )


def metric(agent: agents.Agent, names: Iterable[str]) -> int | None:
    """Return the first metric that an IPv4 route by one of the NICs has.

    :param names: taken for those of interfaces
    :returns: None if there is none, or the guest's ``ip`` does not tell
    :raises errors.GuestError: the agent does not answer, or not so
    """
    for name in names:
        argv = ('ip', '-json', '-4', 'route', 'show', 'dev', name)
        ended = agent.run(argv)
        try:
            found = [
                route['metric']
                for route in json.loads(ended.output)
                if 'metric' in route
            ]
        except (ValueError, RecursionError, TypeError, KeyError):
            continue
        if found and type(found[0]) is int and 0 <= found[0] < 2**32:
            return found[0]
    return None


def _with(agent: agents.Agent, mac: str) -> list[str]:
    names = [each.name for each in agent.interfaces() if each.mac == mac]
    return names[:MOST]


def _device(agent: agents.Agent, name: str) -> str | None:
    """Return what the kernel tells of a NIC's hardware.

    :returns: None for a link that the kernel itself has made
    :raises errors.GuestError: the agent does not tell
    """
    return agent.find(f'/sys/class/net/{name}/device/uevent', agents.LOOPBACK)


def _is_hardware(agent: agents.Agent, name: str) -> bool:
    return _device(agent, name) is not None


def _is_passed_through(agent: agents.Agent, name: str) -> bool:
    drivers = [
        line.removeprefix('DRIVER=')
        for line in (_device(agent, name) or '').splitlines()
        if line.startswith('DRIVER=')
    ]
    return drivers not in ([], ['virtio_net'])
