# SPDX-License-Identifier: Apache-2.0
"""ifupdown with ifenslave, as Debian has it.

interfaces(5), and README.Debian of ifenslave. Its stanzas name interfaces: a
device that is plugged again keeps its name, since it keeps its PCI address in
the guest.

ifupdown does what all stanzas of an interface say, and cloud-init writes one
that asks for an address. So a mapping leads from the names of the NICs to
stanzas of ours, and those of others are not carried out while it is there.

At boot the stanzas of the bond and of the NICs are carried out at once. With
ifenslave's ``bond-master`` a NIC would be in no bond where it came first: it
takes the bond for made as soon as that is begun, fails to join it, and is
passed over by the bond as one that joins by itself. So the bond takes its NICs
by its own stanza, and those of the NICs see that they are in one that is there
already, and up: a compute host may put one in at the same time. They put one
in only when the bond is up, since ifenslave takes NICs down before that. They
do not wait for a bond that is not there, which may come later in the same
``ifup -a``. The bond is told its primary at the end, too: ifenslave does not
where the device is missing then, and the kernel keeps the name.

ifenslave takes a bond that is there as it is, so that it is made before, with
its MTU: a NIC whose MTU can be no larger does not join another one.
"""

import re

from nova_pt_migrate.core import text
from nova_pt_migrate.guest.networks import contract

FILE = '/etc/network/interfaces'
FOLDER = '/etc/network/interfaces.d'


class Ifupdown(contract.GuestNetwork):
    """A file below ``/etc/network/interfaces.d``."""

    unit = 'networking.service'
    folders = (FILE, FOLDER)

    def files(self, bond: contract.WantedBond) -> tuple[contract.File, ...]:
        """See :meth:`contract.GuestNetwork.files`."""
        content = _BOND.format(bond=bond) + ''.join(
            _PORT.format(bond=bond, nic=nic, join=_JOIN.format(bond=bond.name))
            for nic in (bond.device, bond.standby)
        )
        return (contract.File(f'{FOLDER}/{bond.name}', content),)

    def apply(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.apply`."""
        return (
            ('ifdown', bond.name, bond.device, bond.standby),
            ('ip', 'address', 'flush', 'dev', bond.device),
            ('ifup', bond.name),
        )

    def leave(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.leave`."""
        return (('ifdown', bond.name, bond.device, bond.standby),)

    def undo(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.undo`."""
        return (
            ('ip', 'link', 'delete', bond.name),
            ('ifup', bond.device),
        )

    def conflicts(
        self, bond: contract.WantedBond, others: dict[str, str]
    ) -> tuple[str, ...]:
        """What takes a NIC elsewhere, or lets our file unread."""
        names = '|'.join(map(re.escape, (bond.device, bond.standby)))
        found = [
            f'{path} has {text.shown(line.strip())}, which takes a NIC of '
            f'the bond elsewhere: delete it, or make the bond there and set '
            f'pt_migrate:bond to observe.'
            for path, content in sorted(others.items())
            for line in content.splitlines()
            if re.match(_AGAINST.format(names=names), line)
        ]
        if FILE in others and not re.search(_SOURCE, others[FILE]):
            found.append(
                f'{FILE} does not read {FOLDER}: add the line '
                f'"source {FOLDER}/*".'
            )
        return tuple(found)


_AGAINST = (
    r'\s*(mapping|bond-slaves|slaves)\s(.*\s)?({names})(\s|$)'
    r'|\s*(auto|allow-\S+)\s(.*\s)?({names})='
)
_SOURCE = r'(?m)^[ \t]*source(-directory)?\s.*interfaces\.d'
_BOND = """\
auto {bond.name}
iface {bond.name} inet dhcp
    hwaddress {bond.mac}
    metric {bond.metric}
    pre-up [ -e /sys/class/net/{bond.name} ] || \\
        ip link add {bond.name} mtu {bond.mtu} type bond mode active-backup
    bond-mode active-backup
    bond-miimon 20
    bond-updelay 1000
    bond-num-grat-arp 5
    bond-slaves {bond.device} {bond.standby}
    bond-primary {bond.device}
    bond-primary-reselect failure
    up echo {bond.device} > /sys/class/net/{bond.name}/bonding/primary
"""
_PORT = """
allow-hotplug {nic}
mapping {nic}
    script /bin/grep
    map {bond.name}-{nic}
iface {bond.name}-{nic} inet manual
    up {join}
"""
_JOIN = """\
n=0; \\
        while [ ! -e "/sys/class/net/$IFACE/master" ] && \\
                [ -e /sys/class/net/{bond} ] && [ $n -lt 60 ]; do \\
            n=$((n + 1)); \\
            sleep 0.5; \\
            [ -n "$(ip link show dev {bond} up)" ] && \\
            ip link set "$IFACE" down && \\
            ip link set "$IFACE" master {bond}; \\
        done; \\
        ip link set "$IFACE" up"""
