# SPDX-License-Identifier: Apache-2.0
"""NetworkManager: connection profiles in its keyfile format.

nm-settings-keyfile(5). ``mac-address`` of a wired profile matches the
permanent address; a profile with a higher priority wins over those that
cloud-init or an installer made for the same NIC. One without a UUID gets one
from the name of its file.

A profile of a port brings that of its bond up where it is not. So only the
ports are told to come up: brought up itself, or with ``autoconnect-ports``,
the bond would let go of each port that it has and take it anew.

A NIC without a link comes into no bond, and a standby has none while nothing
is to go by it: NetworkManager.conf(5), ``ignore-carrier``. It is read again
with ``nmcli general reload conf`` for devices that are not being activated
(src/core/devices/nm-device.c, config_changed).
"""

import re

from nova_pt_migrate.guest.networks import contract

FOLDER = '/etc/NetworkManager/system-connections'
SETTINGS = '/etc/NetworkManager/conf.d'
PRIORITY = 900
"""Of 999; profiles have 0 where nobody says otherwise."""


class NetworkManager(contract.GuestNetwork):
    """Keyfiles below ``/etc/NetworkManager/system-connections``.

    And a file of settings for the standby.
    """

    unit = 'NetworkManager.service'
    folders = (FOLDER, SETTINGS)

    def files(self, bond: contract.WantedBond) -> tuple[contract.File, ...]:
        """See :meth:`contract.GuestNetwork.files`."""
        return (
            _file(bond.name, _BOND.format(bond=bond)),
            _port(bond, f'{bond.name}-device', bond.mac),
            _port(bond, f'{bond.name}-standby', bond.standby_mac),
            contract.File(
                f'{SETTINGS}/{bond.name}.conf', _SETTINGS.format(bond=bond)
            ),
        )

    def apply(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.apply`."""
        return (
            *_RELOAD,
            *(
                ('nmcli', '--wait', '30', 'connection', 'up', name)
                for name in (f'{bond.name}-device', f'{bond.name}-standby')
            ),
        )

    def undo(self, bond: contract.WantedBond) -> tuple[tuple[str, ...], ...]:
        """See :meth:`contract.GuestNetwork.undo`."""
        return _RELOAD

    def conflicts(
        self, bond: contract.WantedBond, others: dict[str, str]
    ) -> tuple[str, ...]:
        """A profile for the same NIC with as high a priority may win."""
        found = []
        for path, content in sorted(others.items()):
            lines = {
                key.strip(): value.strip().lower()
                for key, _, value in (
                    line.partition('=') for line in content.splitlines()
                )
            }
            theirs = lines.get('mac-address') in (bond.mac, bond.standby_mac)
            if theirs and _number(lines, 'autoconnect-priority') >= PRIORITY:
                found.append(
                    f'{path} is for the same NIC, with autoconnect-priority '
                    f'{PRIORITY} or more: lower it, or delete the profile.'
                )
        return tuple(found)


def _number(lines: dict[str, str], key: str) -> int:
    value = lines.get(key, '')
    return int(value) if _NUMBER.fullmatch(value) else 0


def _file(name: str, content: str) -> contract.File:
    # NetworkManager passes over profiles that others can read.
    return contract.File(f'{FOLDER}/{name}.nmconnection', content, 0o600)


def _port(bond: contract.WantedBond, name: str, mac: str) -> contract.File:
    return _file(name, _PORT.format(bond=bond, name=name, mac=mac))


_RELOAD = (
    ('nmcli', 'general', 'reload', 'conf'),
    ('nmcli', 'connection', 'reload'),
)
_NUMBER = re.compile(r'-?[0-9]{1,9}')
_BOND = f"""\
[connection]
id={{bond.name}}
type=bond
interface-name={{bond.name}}
autoconnect-priority={PRIORITY}

[ethernet]
cloned-mac-address={{bond.mac}}
mtu={{bond.mtu}}

[bond]
mode=active-backup
miimon=20
updelay=1000
num_grat_arp=5
primary={{bond.device}}
primary_reselect=failure

[ipv4]
method=auto
route-metric={{bond.metric}}

[ipv6]
method=auto
route-metric={{bond.metric}}
"""
_PORT = f"""\
[connection]
id={{name}}
type=ethernet
controller={{bond.name}}
port-type=bond
master={{bond.name}}
slave-type=bond
autoconnect-priority={PRIORITY}

[ethernet]
mac-address={{mac}}
"""
_SETTINGS = """\
[device-{bond.name}-standby]
match-device=mac:{bond.standby_mac}
ignore-carrier=true
"""
