# SPDX-License-Identifier: Apache-2.0
"""A guest whose network manager makes the bonds that it is told of."""

from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import management
from nova_pt_migrate.guest import vendor_data
from nova_pt_migrate.guest.networks import contract
from nova_pt_migrate.tests.unit.guest import fakes

MAC = 'fa:16:3e:00:00:01'
MASTERS = '/sys/class/net/bonding_masters'


class Managed(fakes.Guest):
    """Its NICs are ens5, which is passed through, and ens6, its standby.

    :ivar unit: of the manager in charge
    :ivar works: it does
    """

    def __init__(
        self, unit: str = 'systemd-networkd.service', mac: str = MAC
    ) -> None:
        super().__init__()
        self.unit = unit
        self.works = True
        self.mac = mac
        self.twin = pairs.twin(mac)
        self.interfaces = [('ens5', mac), ('ens6', self.twin), ('vlan7', mac)]
        for name in ('ens5', 'ens6'):
            self.files[f'/sys/class/net/{name}/device/uevent'] = 'DRIVER=x\n'
        self.react = self.manage

    def manage(self, argv: list[str]) -> tuple[int, str] | None:
        match argv:
            case ['systemctl', *_, unit]:
                return (0 if unit == self.unit else 3, '')
            case ['find', *_]:
                return (0, '\n'.join(p for p in self.files if '/etc' in p))
            case ['mv', _, source, target]:
                self.files[target] = self.files.pop(source)
            case ['rm', _, *paths]:
                for path in paths:
                    self.files.pop(path, None)
            case ['networkctl' | 'nmcli' | 'ifup', *_] if self.works:
                self.bond(contract.bond_name(self.mac))
            case ['ip', 'link', 'delete', name]:
                self.files[MASTERS] = ''
                self.files.pop(f'/proc/net/bonding/{name}', None)
        return None

    def bond(self, name: str) -> None:
        self.files[MASTERS] = f'{name}\n'
        self.files[f'/proc/net/bonding/{name}'] = (
            'Bonding Mode: fault-tolerance (active-backup)\n'
            'Currently Active Slave: ens5\n'
            f'Slave Interface: ens5\nMII Status: up\n'
            f'Permanent HW addr: {self.mac}\n'
            f'Slave Interface: ens6\nMII Status: up\n'
            f'Permanent HW addr: {self.twin}\n'
        )

    def manager(self) -> management.Management:
        return management.Management(self.agent(60), vendor_data.NETWORKS)

    def keep(self, mtu: int | None = None) -> management.Outcome:
        return self.manager().keep(self.mac, self.twin, mtu)

    def ours(self) -> list[str]:
        return [path for path in self.files if contract.PREFIX in path]

    def written(self) -> str:
        """Return what is in the files of ours."""
        return ''.join(
            content
            for path, content in self.files.items()
            if contract.PREFIX in path
        )
