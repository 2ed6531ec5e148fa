# SPDX-License-Identifier: Apache-2.0
"""ifupdown with ifenslave, as Debian has it.

interfaces(5), and README.Debian of ifenslave. Its stanzas name interfaces: a
device that is plugged again keeps its name, since it keeps its PCI address in
the guest.
"""

import re

from nova_pt_migrate.guest.networks import contract

FILE = '/etc/network/interfaces'
FOLDER = '/etc/network/interfaces.d'


class Ifupdown(contract.GuestNetwork):
    """A file below ``/etc/network/interfaces.d``."""

    unit = 'networking.service'
    folders = (FILE, FOLDER)

    def files(self, bond: contract.WantedBond) -> tuple[contract.File, ...]:
        """See :meth:`contract.GuestNetwork.files`."""
        return (
            contract.File(f'{FOLDER}/{bond.name}', _STANZAS.format(bond=bond)),
        )

    def apply(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.apply`."""
        return (
            ('ip', 'address', 'flush', 'dev', bond.device),
            ('ifup', '--force', bond.name),
            ('ifup', '--force', bond.standby),
            ('ifup', '--force', bond.device),
        )

    def undo(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.undo`."""
        return (('ip', 'link', 'delete', bond.name),)

    def conflicts(
        self, bond: contract.WantedBond, others: dict[str, str]
    ) -> tuple[str, ...]:
        """ifupdown does all that any stanza of an interface says."""
        found = []
        for path, content in sorted(others.items()):
            for name in (bond.device, bond.standby):
                if re.search(rf'(?m)^\s*iface\s+{re.escape(name)}\s', content):
                    found.append(
                        f'{path} has a stanza "iface {name}", which would be '
                        f'carried out as well: delete it, or make the bond '
                        f'there and set pt_migrate:bond to observe.'
                    )
        return tuple(found)


_STANZAS = """\
auto {bond.name}
iface {bond.name} inet dhcp
    hwaddress {bond.mac}
    bond-mode active-backup
    bond-miimon 100
    bond-updelay 1000
    bond-num-grat-arp 5
    bond-primary {bond.device}
    bond-primary-reselect failure
    bond-slaves none

allow-hotplug {bond.standby}
iface {bond.standby} inet manual
    bond-master {bond.name}

allow-hotplug {bond.device}
iface {bond.device} inet manual
    bond-master {bond.name}
"""
