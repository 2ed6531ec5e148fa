# SPDX-License-Identifier: Apache-2.0
"""The bonds of a guest: how its kernel tells of them, and how one switches.

Format of ``/proc/net/bonding/<name>``: Linux, drivers/net/bonding/
bond_procfs.c; files below ``/sys/class/net``: Documentation/networking/
bonding.rst, "Configuring Bonding Manually via Sysfs".
"""

import re

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import nics

MASTERS = '/sys/class/net/bonding_masters'
MOST = 32
"""Bonds and slaves that are looked at; a guest may claim any number."""
_MODE = re.compile(r'[a-z0-9 /.()_-]*\(([a-z0-9-]{1,20})\)')
_FAIL_OVER_MAC = re.compile(r'\(fail_over_mac (active|follow)\)$')
_MODES = {
    'load balancing (round-robin)': 'balance-rr',
    'load balancing (xor)': 'balance-xor',
    'transmit load balancing': 'balance-tlb',
    'adaptive load balancing': 'balance-alb',
}


def observe(agent: agents.Agent) -> tuple[pairs.Bond, ...] | None:
    """Return the guest's bonds; None if the agent offers to read no files.

    :raises errors.Denied: it offers that, and may not
    :raises errors.GuestError: it reads files, and does not answer, or not so
    """
    if not agent.commands() >= agents.READ_FILES:
        return None
    # It is there only once the kernel has bonding.
    masters = (agent.find(MASTERS, agents.LOOPBACK) or '').split()
    names = [name for name in masters if text.is_interface(name)][:MOST]
    return tuple(
        parse(name, agent.read(f'/proc/net/bonding/{name}')) for name in names
    )


def view(agent: agents.Agent, joined: bool) -> pairs.GuestView:
    """Return what the guest tells of its network.

    What the agent may not do it does not tell, as if it did not offer it.

    :param joined: see as well whether slaves are used in place of their link,
        where the kernel makes one
    :raises errors.GuestError: the agent does not answer, or not so
    """
    interfaces: dict[str, str | None] = {}
    try:
        listed = agent.interfaces()
        interfaces = {each.name: each.mac for each in listed}
        found = observe(agent)
        if found is None or not joined:
            return pairs.GuestView(interfaces, found)
        return pairs.GuestView(
            interfaces, found, taken=nics.taken(agent, listed)
        )
    except errors.Denied as exc:
        return pairs.GuestView(interfaces, denied=str(exc))


def check_activate(agent: agents.Agent, bond: str) -> None:
    """See that the agent may switch a bond, if it offers that.

    Nothing is changed.

    :raises errors.Denied: it offers that, and may not
    :raises errors.GuestError: it does not answer, or not so
    """
    if agent.commands() >= agents.WRITE_FILES:
        agent.check_write(_active_slave(bond))


def parse(name: str, words: str) -> pairs.Bond:
    """Take apart what the kernel tells of a bond; unknown lines are skipped.

    :raises errors.GuestError: it does not tell the mode
    """
    mode: str | None = None
    fail_over_mac: re.Match[str] | None = None
    active: str | None = None
    slaves: list[pairs.Slave] = []
    for line in words.splitlines():
        key, _, value = (part.strip() for part in line.partition(':'))
        if key == 'Bonding Mode':
            mode = _mode(value)
            fail_over_mac = _FAIL_OVER_MAC.search(value)
        elif key == 'Currently Active Slave' and text.is_interface(value):
            active = None if value == 'None' else value
        elif key == 'Slave Interface' and text.is_interface(value):
            slaves.append(pairs.Slave(value, None, False))
        elif slaves and key in ('MII Status', 'Permanent HW addr'):
            slaves[-1] = _with(slaves[-1], key, value)
    if mode is None:
        raise errors.GuestError(f'the guest tells no mode of bond {name}')
    return pairs.Bond(
        name,
        mode,
        active,
        tuple(slaves[:MOST]),
        fail_over_mac[1] if fail_over_mac else 'none',
    )


def activate(agent: agents.Agent, bond: str, slave: str) -> None:
    """Make a slave the active one, and see that it is.

    The kernel takes none without a link, which comes some time after the NIC:
    the bond waits for ``updelay`` as well. Try again then.

    :param bond: a name that was taken for one of an interface
    :param slave: a name that was taken for one of an interface
    :raises errors.Denied: it is not, and the agent may not change that
    :raises errors.NotActive: it is seen that it is not
    :raises errors.GuestError: the agent does not tell
    """
    if not _has_link(agent, bond, slave):
        raise errors.NotActive(f'{slave} has no link in {bond}')
    path = _active_slave(bond)
    refused: errors.GuestError | None = None
    try:
        agent.write(path, slave)
    except errors.GuestError as exc:
        # The kernel refuses one without a link.
        refused = exc
    found = agent.read(path).strip()
    if found == slave:
        return
    if isinstance(refused, errors.Denied):
        raise refused
    raise errors.NotActive(
        f'the active slave of {bond} is {text.shown(found)}, not {slave}'
    ) from refused


def _active_slave(bond: str) -> str:
    return f'/sys/class/net/{bond}/bonding/active_slave'


def enslave(agent: agents.Agent, bond: str, slave: str) -> None:
    """Put a NIC that is free into a bond.

    The kernel takes only one that is down; its flags are written, since that
    needs no program of the guest.

    :raises errors.Denied: the agent may not
    :raises errors.GuestError: it is not in the bond
    """
    flags = f'/sys/class/net/{slave}/flags'
    try:
        value = int(agent.read(flags), 16)
    except ValueError as exc:
        raise errors.GuestError(f'{slave} has no proper flags') from exc
    agent.write(flags, hex(value & 0xFFFFFFFF & ~1))
    agent.write(f'/sys/class/net/{bond}/bonding/slaves', f'+{slave}')


def _has_link(agent: agents.Agent, bond: str, slave: str) -> bool:
    found = parse(bond, agent.read(f'/proc/net/bonding/{bond}'))
    return any(each.up for each in found.slaves if each.name == slave)


def _mode(value: str) -> str:
    for words, mode in _MODES.items():
        if value.startswith(words):
            return mode
    found = _MODE.match(value)
    return found[1] if found else 'unknown'


def _with(slave: pairs.Slave, key: str, value: str) -> pairs.Slave:
    if key == 'MII Status':
        return pairs.Slave(slave.name, slave.mac, value == 'up')
    return pairs.Slave(slave.name, text.mac(value), slave.up)
