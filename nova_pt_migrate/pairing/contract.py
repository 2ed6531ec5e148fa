# SPDX-License-Identifier: Apache-2.0
"""What a pairing provides: how a pass-through NIC and its standby are one.

A pairing is a plug-in of entry point group ``nova_pt_migrate.pairings``. It
looks at values and returns values; it never acts.
"""

import abc

from nova_pt_migrate.core import model


class Pairing(abc.ABC):
    """One way to make a pair one link for the guest."""

    @abc.abstractmethod
    def reasons_not_ready(self, found: model.Found) -> tuple[str, ...]:
        """Say why a server may not leave this host now.

        Called on the source host, before anything is changed, for a server
        that has devices. Must not block and must not raise.

        :returns: one sentence for each reason; empty if the server may leave
        """
