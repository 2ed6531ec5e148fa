# SPDX-License-Identifier: Apache-2.0
"""An active-backup bond, over a standby of ours or over two ports.

Linux, Documentation/networking/bonding.rst.
"""

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text
from nova_pt_migrate.pairing import contract
from nova_pt_migrate.pairing import two_ports

MODE = 'active-backup'
ACTIVE = 'active'
"""The bond has the MAC address of the slave that is active."""


class BondPairing(contract.Pairing):
    """A bond in the guest, whoever has made it.

    What the guest tells of it is believed as far as it goes: a guest that
    lies loses its own network only.
    """

    standby = True
    second_port = True

    def unfit(self, view: pairs.View) -> tuple[str, ...]:
        """It needs a standby that is not the NIC's own PF."""
        pair = view.pair
        if pair.whole_function and pair.on_own_pf:
            return (
                f'Pairing bond of port {pair.port}: its standby would hang '
                f'on the very PF that the guest gets. Map the network to '
                f'another NIC ([pt_migrate] standby_uplinks), or choose '
                f'pairing none.',
            )
        return ()

    def not_ready(self, view: pairs.View) -> tuple[str, ...]:
        """The standby must be there, and carry as far as can be seen."""
        ports = two_ports.not_ready(view.ports) if view.ports else ()
        return (*ports, *self._not_in_guest(view))

    def doubts(self, view: pairs.View) -> tuple[str, ...]:
        """Security groups differ from port to port."""
        return two_ports.doubts(view.ports) if view.ports else ()

    def _not_in_guest(self, view: pairs.View) -> tuple[str, ...]:
        pair = view.pair
        if not view.standby_there:
            cure = (
                'reboot the server hard, and migrate again'
                if pair.kind is pairs.StandbyKind.OWN
                else 'attach an ordinary port of the same network'
            )
            return (f'Port {pair.port} has no standby in the guest: {cure}.',)
        if view.guest is None or view.guest.bonds is None:
            return ()
        bond = _with(view, pair.standby_mac)
        if bond is None and view.held:
            # Some managers put a NIC into a bond only while it has a link.
            bond = _with(view, pair.mac)
        if bond is None:
            return (
                f'The guest has no bond of port {pair.port} and its standby '
                f'{pair.standby_mac}: make one, or let it be made '
                f'(pt_migrate:bond).',
            )
        return self._unsound(view, bond)

    def link(self, view: pairs.View, primary: bool) -> tuple[str, str] | None:
        """Name the bond and its slave, where the guest told them."""
        bond = _with(view, view.pair.standby_mac)
        if bond is None:
            return None
        mac = view.pair.mac if primary else view.pair.standby_mac
        slave = bond.slave(mac) if mac else None
        if slave is None:
            return None
        names = (bond.name, slave.name)
        return names if all(map(text.is_interface, names)) else None

    def _unsound(self, view: pairs.View, bond: pairs.Bond) -> tuple[str, ...]:
        found = []
        if bond.mode != MODE:
            found.append(
                f'Bond {text.shown(bond.name)} of port {view.pair.port} is in '
                f'mode {text.shown(bond.mode)}: set its mode to {MODE}.'
            )
        if (
            view.pair.kind is pairs.StandbyKind.PORT
            and bond.mode == MODE
            and bond.fail_over_mac != ACTIVE
        ):
            found.append(
                f'Bond {text.shown(bond.name)} of port {view.pair.port} keeps '
                f'one MAC address over two ports: set its fail_over_mac to '
                f'{ACTIVE}.'
            )
        standby = bond.slave(view.pair.standby_mac or '')
        if standby is not None and not standby.up and not view.held:
            found.append(
                f'The standby of port {view.pair.port} is down in bond '
                f'{text.shown(bond.name)}: switch '
                f'{text.shown(standby.name)} on in the guest.'
            )
        return tuple(found)


def _with(view: pairs.View, mac: str | None) -> pairs.Bond | None:
    """Return the bond that the NIC with this permanent address is in."""
    if view.guest is None or mac is None:
        return None
    bonds = view.guest.bonds or ()
    return next((bond for bond in bonds if bond.slave(mac)), None)
