# SPDX-License-Identifier: Apache-2.0
"""The servers that are swept, and what they must have afterwards."""

from __future__ import annotations

import dataclasses
from typing import Any

from nova_pt_migrate.core import pairs
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import alias_devices
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import bonded
from nova_pt_migrate.tests.functional import paired


@dataclasses.dataclass(frozen=True)
class Case:
    """What migrates.

    :ivar devices: how many VFs the server has
    :ivar volume: it boots from a volume
    :ivar pairing: of its devices with standbys of ours; with ``bond`` the
        guest of one device has an agent
    :ivar aliases: how many devices it has by its flavor
    :ivar ordinary: how many ports it has without a VF
    """

    devices: int = 1
    volume: bool = False
    pairing: str = 'none'
    aliases: int = 0
    ordinary: int = 0

    def __str__(self) -> str:
        return (
            f'{self.devices} {"device" if self.devices == 1 else "devices"}, '
            f'{"volume" if self.volume else "image"}'
            + (f', {self.pairing}' if self.standbys else '')
            + (f', {self.aliases} by the flavor' if self.aliases else '')
            + (f', {self.ordinary} ordinary' if self.ordinary else '')
        )

    @property
    def standbys(self) -> int:
        return 0 if self.pairing == 'none' else self.devices


@dataclasses.dataclass
class One:
    """One server, and what it must have."""

    case: Case
    server: dict[str, Any]
    whole: always.Always
    ports: list[str]
    volumes: tuple[str, ...]

    @classmethod
    def boot(cls, test: paired.Paired, case: Case) -> One:
        volumes = (test.cinder.IMAGE_BACKED_VOL,) if case.volume else ()
        ports = test.ports.direct(case.devices)
        ports += test.ports.ordinary(case.ordinary)
        server = test.paired(
            ports,
            volumes[0] if volumes else None,
            others=alias_devices.of_flavor(case.aliases),
            pairing=case.pairing,
            bond='observe',
        )
        if case.pairing == 'bond':
            _let_bond(test, server['id'], ports[0])
        whole = always.Always(
            test, server, ports, own=case.standbys, aliases=case.aliases
        )
        return cls(case, server, whole, ports, volumes)

    def replace(self, test: paired.Paired) -> None:
        """Boot another one after a fault has spoilt this one."""
        self.delete(test)
        other = self.boot(test, self.case)
        self.server, self.whole = other.server, other.whole
        self.ports = other.ports

    def delete(self, test: paired.Paired) -> None:
        test.api.delete_server(self.server['id'])
        test._wait_until_deleted(self.server)

    def forget(self, test: paired.Paired) -> None:
        """Delete it, the last one; nothing of it may be left."""
        self.delete(test)
        for host in test.links:
            test.assert_nothing_left(host)

    def hosts(self, test: paired.Paired) -> tuple[str, str]:
        """Return where it is, and where it would go."""
        here = test.api.get_server(self.server['id'])[always.HOST]
        there = {base.SOURCE: base.DESTINATION, base.DESTINATION: base.SOURCE}
        return here, there[here]

    def check(self, test: paired.Paired) -> tuple[str, str]:
        """Check the contract; return where it is and how its last ended.

        With pairs the devices carry the traffic, and the standbys are silent.
        """
        here, _ = self.hosts(test)
        status = test.migrations(self.server)[-1]
        self.whole.check(always.End(here, status, volumes=self.volumes))
        self._check_standbys(test, here)
        guest = test.agents.get(self.server['id'])
        if isinstance(guest, bonded.Bonded):
            test.assertEqual(bonded.DEVICE, guest.active())
        return here, status

    def _check_standbys(self, test: paired.Paired, here: str) -> None:
        names = {
            pairs.link_name(port): False
            for port in self.ports[: self.case.standbys]
        }
        macs = [test.ports.show(port)['mac_address'] for port in self.ports]
        for host, links in test.links.items():
            test.assertEqual(
                names if host == here else {},
                {
                    name: link.up
                    for name, link in links.links.items()
                    if name in names
                },
                host,
            )
            test.assertEqual(
                [], [entry for entry in links.filters if entry[1] in macs]
            )


def _let_bond(test: paired.Paired, server: str, port: str) -> None:
    """The guest has a bond of its one device, and an agent."""

    def has_device() -> bool:
        return any(
            machine.active and documents.passthrough(machine.live)
            for hypervisor in test.double.hypervisors.values()
            if (machine := hypervisor.machines.get(server)) is not None
        )

    test.agents[server] = bonded.Bonded(
        test.ports.show(port)['mac_address'], has_device
    )
