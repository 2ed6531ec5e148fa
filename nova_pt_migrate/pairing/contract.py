# SPDX-License-Identifier: Apache-2.0
"""What a pairing provides: how a pass-through NIC and its standby are one.

A pairing is a plug-in of entry point group ``nova_pt_migrate.pairings``. It
looks at values and returns values; it never acts. The rules that it must keep
are tests, in ``nova_pt_migrate.testing.pairing_contract``.
"""

import abc

from nova_pt_migrate.core import pairs


class Pairing(abc.ABC):
    """One way to make a pair one link for the guest."""

    standby: bool
    """A pair needs a standby."""

    teaming: bool = False
    """libvirt and QEMU tell the guest of the pair (``<teaming>``)."""

    same_mac: bool = False
    """Our own standby has the permanent MAC address of the NIC."""

    second_port: bool = False
    """An ordinary port of the server may be the standby."""

    @abc.abstractmethod
    def unfit(self, view: pairs.View) -> tuple[str, ...]:
        """Say why a pair can never be one link for this server so.

        Called when the server is started and before it leaves a host, on
        that host. Only the pair and its machine may decide: of the rest of
        the view nothing is known then. Must not block and must not raise.

        :returns: one sentence for each reason; empty if it can be
        """

    @abc.abstractmethod
    def not_ready(self, view: pairs.View) -> tuple[str, ...]:
        """Say why a server may not leave its host now.

        Called on the source, in the pre-check and again before the first
        step, for each pair whose standby is required or preferred. Must not
        block and must not raise.

        :returns: one sentence for each reason; empty if the server may leave
        """

    def doubts(self, view: pairs.View) -> tuple[str, ...]:
        """Say what may interrupt the traffic, and nobody can tell for sure.

        Called in the pre-check, with the same view as :meth:`not_ready`. Must
        not block and must not raise.

        :returns: one sentence for each; the server may leave all the same
        """
        return ()

    @abc.abstractmethod
    def link(self, view: pairs.View, primary: bool) -> tuple[str, str] | None:
        """Say what has to be made active in the guest.

        Asked for a pairing with :attr:`second_port` alone. The names are
        written to the guest's kernel: return only such as the guest has
        told, and that are names of interfaces (``text.is_interface``). Must
        not block and must not raise.

        :param primary: the pass-through NIC is to carry the traffic; else
            the standby is
        :returns: names of bond and slave; None if the guest needs no word,
            or nobody can tell
        """
