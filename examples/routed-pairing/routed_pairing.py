# SPDX-License-Identifier: Apache-2.0
"""Two ports with addresses of their own, and a guest that routes.

A routing daemon in the guest announces the service over both, so that its
neighbours use the other one as soon as the device has left.
"""

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text
from nova_pt_migrate.pairing import contract


class RoutedPairing(contract.Pairing):
    """The standby is an ordinary port of the server, in no bond."""

    standby = True
    second_port = True

    def unfit(self, view: pairs.View) -> tuple[str, ...]:
        """A standby that this driver makes has no addresses."""
        if view.pair.kind is pairs.StandbyKind.PORT:
            return ()
        return (
            f'Pairing routed of port {view.pair.port} needs a second port: '
            f'give the server an ordinary port of the same network.',
        )

    def not_ready(self, view: pairs.View) -> tuple[str, ...]:
        """Both ports must carry, each by itself."""
        port = view.pair.port
        if not view.standby_there:
            return (
                f'Port {port} has no standby in the guest: attach an '
                f'ordinary port of the same network.',
            )
        found = []
        if view.ports and not view.ports.standby.up:
            found.append(
                f'Run "openstack port set --enable {view.ports.standby.id}": '
                f'the standby of port {port} is switched off.'
            )
        told = view.guest.bonds or () if view.guest else ()
        for bond in told:
            if bond.slave(view.pair.standby_mac or ''):
                found.append(
                    f'The standby of port {port} is in '
                    f'{text.shown(bond.name)}: take it out of there in the '
                    f'guest, or choose pairing bond.'
                )
                break
        return tuple(found)

    def doubts(self, view: pairs.View) -> tuple[str, ...]:
        """Nobody knows whether the guest routes; its agent tells a little."""
        if view.guest is not None:
            return ()
        return (
            f'The guest of port {view.pair.port} tells nothing of its NICs: '
            f'install the QEMU guest agent.',
        )

    def link(self, view: pairs.View, primary: bool) -> tuple[str, str] | None:
        """The neighbours choose the way."""
        return None
