# SPDX-License-Identifier: Apache-2.0
"""systemd-networkd, on its own or as netplan's renderer.

systemd.netdev(5), systemd.network(5). Of all files that match a link the first
by name counts, whatever folder it is in, so that ours come before those of
cloud-init (``10-cloud-init-*``) and of netplan (``10-netplan-*``).

A standby has no link while nothing is to go by it, and a boot is not to wait
for that (systemd-networkd-wait-online.service(8)).
"""

from nova_pt_migrate.guest.networks import contract

FOLDER = '/etc/systemd/network'
FIRST = '05-'


class Networkd(contract.GuestNetwork):
    """Files below ``/etc/systemd/network``."""

    unit = 'systemd-networkd.service'
    folders = (FOLDER,)

    def files(self, bond: contract.WantedBond) -> tuple[contract.File, ...]:
        """See :meth:`contract.GuestNetwork.files`."""
        start = f'{FOLDER}/{FIRST}{bond.name}'
        return (
            contract.File(f'{start}.netdev', _NETDEV.format(bond=bond)),
            contract.File(
                f'{start}-device.network',
                _PORT.format(
                    bond=bond,
                    mac=bond.mac,
                    driver='!virtio_net',
                    more='PrimarySlave=yes\n',
                ),
            ),
            contract.File(
                f'{start}-standby.network',
                _PORT.format(
                    bond=bond,
                    mac=bond.standby_mac,
                    driver='virtio_net',
                    more='',
                ),
            ),
            contract.File(f'{start}.network', _BOND.format(bond=bond)),
        )

    def apply(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.apply`."""
        return (
            ('networkctl', 'reload'),
            ('networkctl', 'reconfigure', bond.standby, bond.device),
        )

    def undo(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.undo`."""
        return (
            ('ip', 'link', 'delete', bond.name),
            ('networkctl', 'reload'),
        )

    def conflicts(
        self, bond: contract.WantedBond, others: dict[str, str]
    ) -> tuple[str, ...]:
        """A file that comes before ours may take the link first."""
        return tuple(
            f'{path} comes before the files of ours in {FOLDER}: rename it '
            f'so that it begins with a number above {FIRST[:2]}.'
            for path in sorted(others)
            if path.endswith('.network') and path.rpartition('/')[2] < FIRST
        )


_NETDEV = """\
[NetDev]
Name={bond.name}
Kind=bond
MACAddress={bond.mac}
MTUBytes={bond.mtu}

[Bond]
Mode=active-backup
PrimaryReselectPolicy=failure
MIIMonitorSec=20ms
UpDelaySec=1s
GratuitousARP=5
"""
_PORT = """\
[Match]
PermanentMACAddress={mac}
Driver={driver}

[Link]
RequiredForOnline=no

[Network]
Bond={bond.name}
{more}"""
_BOND = """\
[Match]
Name={bond.name}

[Network]
DHCP=yes

[DHCPv4]
RouteMetric={bond.metric}
"""
