# SPDX-License-Identifier: Apache-2.0
"""What a network manager's plug-in provides: the bond in its own form.

A plug-in of entry point group ``nova_pt_migrate.guest_networks``. It returns
values and never acts: somebody else writes its files and runs its programs, in
a guest through its agent or in a guest that boots for the first time. The
rules that it must keep are tests, in
``nova_pt_migrate.testing.network_contract``.
"""

import abc
from collections.abc import Collection
import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class WantedBond:
    """A bond of a pass-through NIC and its standby.

    :ivar name: of the bond; ours, so that nobody else has it
    :ivar mac: of the bond, and permanent address of the pass-through NIC
    :ivar standby_mac: permanent address of the standby
    :ivar device: name of the pass-through NIC now
    :ivar standby: name of the standby now
    :ivar mtu: of the network, in bytes; a NIC joins no bond with a larger one
        than it can have
    :ivar metric: of the routes that the NIC had by IPv4, so that the bond is
        neither preferred to others nor they to it more than before
    """

    name: str
    mac: str
    standby_mac: str
    device: str
    standby: str
    mtu: str = '1500'
    metric: str = '1024'


PREFIX = 'pt-bond'
"""How the names of bonds and files of ours begin."""


def bond_name(mac: str) -> str:
    """Return the name of the bond with this MAC address."""
    return f'{PREFIX}{mac[-8:].replace(":", "")}'


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file of ours in the guest.

    :ivar mode: its permissions
    """

    path: str
    content: str
    mode: int = 0o644


class GuestNetwork(abc.ABC):
    """One network manager."""

    unit: str
    """The systemd unit that is active where it is in charge."""

    folders: tuple[str, ...] = ()
    """What is listed and read to find conflicts."""

    @abc.abstractmethod
    def files(self, bond: WantedBond) -> tuple[File, ...]:
        """Return the files that make the bond, now and at each boot.

        The same bond gives the same files. They match the NICs by their
        permanent addresses, so that one that is plugged again is enslaved by
        the guest itself, and leave the bare NIC without an address.
        """

    @abc.abstractmethod
    def apply(self, bond: WantedBond) -> tuple[tuple[str, ...], ...]:
        """Return the programs that let the manager act on its files."""

    def leave(self, bond: WantedBond) -> tuple[tuple[str, ...], ...]:
        """Return the programs to run before the files are deleted."""
        return ()

    @abc.abstractmethod
    def undo(self, bond: WantedBond) -> tuple[tuple[str, ...], ...]:
        """Return the programs to run when the files have been deleted."""

    def conflicts(
        self, bond: WantedBond, others: dict[str, str]
    ) -> tuple[str, ...]:
        """Say which other configuration would work against the bond.

        Whatever the files have in them, this must not raise, and must not
        take long; show words of them by ``text.shown``.

        :param others: content of the files in ``folders`` by path, without
            those of ours
        :returns: a sentence for each, naming the file, why, and what to do
        """
        return ()

    @staticmethod
    def are_ours(paths: Collection[str]) -> set[str]:
        """Return those paths that are of files of ours."""
        return {path for path in paths if PREFIX in path}
