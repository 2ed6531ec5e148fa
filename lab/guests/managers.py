# SPDX-License-Identifier: Apache-2.0
"""The network managers of which a guest is made, each alone in charge."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Manager:
    """A network manager as Debian has it.

    :ivar packages: what is installed for it
    :ivar units: what is enabled for it, where its packages do not do so
    """

    name: str
    packages: tuple[str, ...]
    units: tuple[str, ...] = ()


MANAGERS = (
    Manager('networkmanager', ('network-manager',)),
    Manager('networkd', (), ('systemd-networkd.service',)),
    Manager('netplan', ('netplan.io',), ('systemd-networkd.service',)),
    Manager('ifupdown', ('ifupdown', 'ifenslave', 'dhcpcd-base')),
)


def named(name: str) -> Manager:
    """Return the manager of that name.

    :raises LookupError: naming those that there are
    """
    for manager in MANAGERS:
        if manager.name == name:
            return manager
    known = ', '.join(manager.name for manager in MANAGERS)
    raise LookupError(f'no network manager {name}; there are {known}')
