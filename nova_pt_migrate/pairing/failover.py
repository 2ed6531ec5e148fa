# SPDX-License-Identifier: Apache-2.0
"""virtio-net failover: the guest's kernel joins the two by itself.

QEMU, docs/system/virtio-net-failover.rst; Linux,
Documentation/networking/net_failover.rst.
"""

from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text
from nova_pt_migrate.pairing import contract


class FailoverPairing(contract.Pairing):
    """One net_failover link over a standby of ours with the same MAC."""

    standby = True
    teaming = True
    same_mac = True

    def unfit(self, view: pairs.View) -> tuple[str, ...]:
        """It needs PCIe, virtio and a standby that is not the NIC's own PF."""
        pair = view.pair
        found = []
        if not view.pcie:
            found.append(
                f'Pairing failover of port {pair.port} needs a machine type '
                f'with PCIe: set hw_machine_type=q35 on the image.'
            )
        if not view.virtio:
            found.append(
                f'Pairing failover of port {pair.port} needs a virtio NIC '
                f'beside it: set hw_vif_model=virtio on the image.'
            )
        if pair.whole_function and pair.on_own_pf:
            found.append(
                f'Pairing failover of port {pair.port}: its standby would '
                f'hang on the very PF that the guest gets. Map the network '
                f'to another NIC ([pt_migrate] standby_uplinks), or choose '
                f'pairing none.'
            )
        return tuple(found)

    def not_ready(self, view: pairs.View) -> tuple[str, ...]:
        """The standby must be there, and the guest use the kernel's link.

        A guest that does not know the standby's failover has never seen the
        device, and loses nothing (QEMU hides it until then).
        """
        pair = view.pair
        if not view.standby_there:
            return (
                f'Port {pair.port} has no standby in the guest: reboot the '
                f'server hard, and migrate again.',
            )
        if view.guest is None:
            return ()
        return tuple(
            f'Port {pair.port}: the guest uses {text.shown(name)}, which is '
            f'below a link of net_failover, in place of that link, and would '
            f'have no network without it: let its network manager leave the '
            f'slaves alone ("Network managers and failover" in the user '
            f"guide's page on pairs)."
            for name in sorted(view.guest.taken)
            if view.guest.interfaces.get(name) == pair.mac
        )

    def link(self, view: pairs.View, primary: bool) -> tuple[str, str] | None:
        """The kernel switches over when the device leaves or comes."""
        return None
