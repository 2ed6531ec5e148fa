# SPDX-License-Identifier: Apache-2.0
"""No pair: the device alone, unplugged and plugged again."""

from nova_pt_migrate.core import pairs
from nova_pt_migrate.pairing import contract


class NonePairing(contract.Pairing):
    """The guest copes without its device, or is content to be offline."""

    standby = False

    def unfit(self, view: pairs.View) -> tuple[str, ...]:
        """Every server can have that."""
        return ()

    def not_ready(self, view: pairs.View) -> tuple[str, ...]:
        """Nothing in the guest is needed."""
        return ()

    def link(self, view: pairs.View, primary: bool) -> tuple[str, str] | None:
        """There is no bond."""
        return None
