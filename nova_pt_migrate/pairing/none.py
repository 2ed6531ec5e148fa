# SPDX-License-Identifier: Apache-2.0
"""No pair: the device alone, unplugged and plugged again."""

from nova_pt_migrate.core import model
from nova_pt_migrate.pairing import contract


class NonePairing(contract.Pairing):
    """The guest copes without its device, or is content to be offline."""

    def reasons_not_ready(self, found: model.Found) -> tuple[str, ...]:
        """Nothing in the guest is needed."""
        return ()
