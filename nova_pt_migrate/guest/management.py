# SPDX-License-Identifier: Apache-2.0
"""Make, keep and undo the bond of a pair through the guest's agent.

Only files of our own are written, in the form of the network manager that is
in charge, and only where nothing in its configuration works against them. The
guest's word is never trusted: what it lies about is its own network.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import re

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.guest import nics
from nova_pt_migrate.guest.networks import contract

MOST = 64
"""Files of the guest's network configuration that are read."""
_METRIC = re.compile(r'(?mi)^[ \t]*(?:route-?)?metric[= ]([0-9]{1,10})$')
"""How the managers that are known write the metric of routes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    :ivar problems: one sentence each, saying what to do; the bond is whole
        if there is none
    :ivar wrote: files of ours are in the guest now, perhaps only some
    """

    problems: tuple[str, ...] = ()
    wrote: bool = False


class Management:
    """The bonds of ours in one guest.

    :param agent: for one look; everything has to be done in its time
    :param networks: the network managers that are known, in the order in
        which they are asked for
    """

    def __init__(
        self,
        agent: agents.Agent,
        networks: Iterable[contract.GuestNetwork],
    ) -> None:
        self._agent = agent
        self._networks = tuple(networks)

    def keep(
        self, mac: str, standby_mac: str, mtu: int | None = None
    ) -> Outcome:
        """Make the bond of a pair, or see that it is whole.

        :param mac: of the pass-through NIC
        :param standby_mac: permanent address of the standby
        :param mtu: of the network, in bytes, if it is known
        :returns: what came of it; raises nothing
        """
        try:
            bond, network = self._wanted(mac, standby_mac, mtu)
            present = {
                file.path: self._content(file.path)
                for file in network.files(bond)
            }
            bond = self._with_metric(bond, present.values())
            if problems := self._conflicts(network, bond):
                return Outcome(problems)
        except errors.GuestError as exc:
            return Outcome((_cannot(mac, exc),))
        try:
            changed = self._write(network.files(bond), present)
            if changed or self._lacks(bond):
                for program in network.apply(bond):
                    self._agent.run(program)
            lacks = self._lacks(bond)
        except errors.GuestError as exc:
            return Outcome((_cannot(mac, exc),), wrote=True)
        return Outcome((lacks,) if lacks else (), wrote=True)

    def undo(self, mac: str, standby_mac: str) -> Outcome:
        """Delete the bond and the files of ours; others are left alone.

        :returns: what came of it; raises nothing
        """
        name = contract.bond_name(mac)
        try:
            network = self._in_charge()
            bond = contract.WantedBond(
                name,
                mac,
                standby_mac,
                self._name_of(mac) or 'none',
                self._name_of(standby_mac) or 'none',
            )
            for program in network.leave(bond):
                self._agent.run(program)
            paths = [file.path for file in network.files(bond)]
            self._done('rm', '-f', *paths)
            for program in network.undo(bond):
                self._agent.run(program)
        except errors.GuestError as exc:
            return Outcome((_cannot(mac, exc),), wrote=True)
        return Outcome()

    def _wanted(
        self, mac: str, standby_mac: str, mtu: int | None
    ) -> tuple[contract.WantedBond, contract.GuestNetwork]:
        if self._agent.degree() is not agents.Degree.FULL:
            raise errors.GuestError(
                'its agent writes no files or runs no programs; allow '
                'guest-exec and guest-file-* in the guest, or set '
                'pt_migrate:bond to prepare'
            )
        network = self._in_charge()
        name = contract.bond_name(mac)
        found = []
        for address in (mac, standby_mac):
            nic = self._name_of(address)
            if nic is None:
                raise errors.GuestError(f'it has no free NIC {address}')
            found.append(nic)
        bond = contract.WantedBond(name, mac, standby_mac, *found)
        if mtu:
            bond = dataclasses.replace(bond, mtu=str(mtu))
        return bond, network

    def _with_metric(
        self, bond: contract.WantedBond, present: Iterable[str | None]
    ) -> contract.WantedBond:
        """Give it that of a bond that is there, else that of its NIC.

        :param present: content of the files that make it, where they are
        """
        for content in present:
            written = _METRIC.search(content or '')
            if written:
                return dataclasses.replace(bond, metric=written[1])
        found = nics.metric(self._agent, (bond.name, bond.device))
        if found is None:
            return bond
        return dataclasses.replace(bond, metric=str(found))

    def _in_charge(self) -> contract.GuestNetwork:
        for network in self._networks:
            ended = self._agent.run(
                ('systemctl', '--quiet', 'is-active', network.unit)
            )
            if ended.status == 0:
                return network
        known = ', '.join(network.unit for network in self._networks)
        raise errors.GuestError(f'none of {known} is active in it')

    def _name_of(self, mac: str) -> str | None:
        """Return the NIC with this permanent address.

        :raises errors.GuestError: it is in a bond that is none of ours
        """
        found = bonds.observe(self._agent) or ()
        for bond in found:
            slave = bond.slave(mac)
            if slave is not None and not bond.name.startswith(contract.PREFIX):
                raise errors.GuestError(
                    f'its NIC {slave.name} is in {bond.name}, which somebody '
                    f'else has made; take it out of there, or set '
                    f'pt_migrate:bond to observe'
                )
            if slave is not None:
                return slave.name
        return nics.free(self._agent, mac, found)

    def _conflicts(
        self, network: contract.GuestNetwork, bond: contract.WantedBond
    ) -> tuple[str, ...]:
        others: dict[str, str] = {}
        for path in self._configuration(network):
            others[path] = self._agent.read(path)
        found = network.conflicts(bond, others)
        return tuple(
            f'The guest has a configuration against the bond of its NIC '
            f'{bond.mac}, so that none is made: {each}'
            for each in found
        )

    def _configuration(self, network: contract.GuestNetwork) -> list[str]:
        """Return the paths of what is configured by others.

        Names with anything unusual in them are passed over: no program that
        we know writes such.
        """
        ended = self._agent.run(
            (
                'find', *network.folders, '-maxdepth', '1', '-type', 'f',
                '-size', '-64k',
            )
        )  # fmt: skip
        lines = ended.output.decode(errors='replace').splitlines()
        paths = [
            path
            for path in lines
            if path.startswith(network.folders) and text.is_path(path)
        ]
        if len(paths) > MOST:
            raise errors.GuestError(
                f'there are more than {MOST} files in '
                f'{" and ".join(network.folders)}'
            )
        return [p for p in paths if p not in network.are_ours(paths)]

    def _write(
        self,
        files: Iterable[contract.File],
        present: Mapping[str, str | None],
    ) -> bool:
        """Write what is not there as it should be; True if there was any."""
        changed = False
        for file in files:
            if present[file.path] == file.content:
                continue
            new = f'{file.path}.new'
            self._agent.write(new, file.content)
            self._done('chmod', f'{file.mode:o}', new)
            self._done('mv', '-f', new, file.path)
            changed = True
        return changed

    def _content(self, path: str) -> str | None:
        try:
            return self._agent.read(path)
        except errors.GuestError:
            return None

    def _done(self, *argv: str) -> None:
        ended = self._agent.run(argv)
        if ended.status != 0:
            said = ended.errors.decode(errors='replace').strip()
            raise errors.GuestError(f'{argv[0]} says {text.shown(said)}')

    def _lacks(self, wanted: contract.WantedBond) -> str:
        """Say what the bond lacks; empty if it is whole."""
        for bond in bonds.observe(self._agent) or ():
            if bond.name == wanted.name:
                missing = [
                    mac
                    for mac in (wanted.mac, wanted.standby_mac)
                    if bond.slave(mac) is None
                ]
                if not missing:
                    return ''
                return (
                    f'Bond {bond.name} has no slave {" and ".join(missing)} '
                    f'yet; it is checked again.'
                )
        return (
            f'Bond {wanted.name} is configured in the guest and not there '
            f'yet; it is checked again.'
        )


def _cannot(mac: str, exc: errors.GuestError) -> str:
    return f'The guest cannot be given the bond of its NIC {mac}: {exc}.'
