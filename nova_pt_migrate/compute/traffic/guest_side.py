# SPDX-License-Identifier: Apache-2.0
"""Let a guest use one NIC of a pair, and see whether it does."""

from collections.abc import Iterable

from oslo_log import log as logging

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.guest import nics

LOG = logging.getLogger(__name__)


class GuestSide:
    """Provides :class:`core.interfaces.Guest` for the pairs of one server.

    :param ports: that have a standby
    :param observer: looks at them
    """

    def __init__(
        self,
        ports: Iterable[paired_ports.PairedPort],
        observer: observer.Observer,
    ) -> None:
        self._ports = {paired.pair.port: paired for paired in ports}
        self._observer = observer
        self._sent: dict[str, int] = {}

    def favour(self, port: str) -> bool:
        """See :meth:`core.interfaces.Guest.favour`.

        What has been sent on a second port before is kept, for
        :meth:`is_heard`.
        """
        paired, agent = self._ports[port], self._agent()
        if not paired.pairing.second_port or agent is None:
            return False
        try:
            view = self._view(paired, agent)
            names = paired.pairing.link(view, False)
            if names is None:
                _demand_bonds(paired, view)
                return False
            before = self._count(paired)
            bonds.activate(agent, *names)
        except errors.NotActive:
            raise
        except errors.GuestError as exc:
            LOG.info('The bond of port %s is left to the guest: %s', port, exc)
            return False
        if before is not None:
            self._sent[port] = before
        return True

    def _count(self, paired: paired_ports.PairedPort) -> int | None:
        """Return what was sent on a second port; None for any other."""
        if paired.pair.kind is not pairs.StandbyKind.PORT:
            return None
        try:
            return self._observer.sent(paired)
        except errors.HostError as exc:
            LOG.warning(
                'What the guest sends on port %s cannot be seen, and is not '
                'waited for: %s', paired.pair.standby_port, exc,
            )  # fmt: skip
            return None

    def is_heard(self, port: str) -> bool:
        """See :meth:`core.interfaces.Guest.is_heard`."""
        if port not in self._sent:
            return True
        try:
            return self._observer.sent(self._ports[port]) != self._sent[port]
        except errors.HostError:
            return False

    def uses(self, port: str, join: bool) -> bool:
        """See :meth:`core.interfaces.Guest.uses`."""
        paired, agent = self._ports[port], self._agent()
        if agent is None:
            return False
        if not paired.pairing.second_port:
            link = nics.has_link(agent, paired.pair.mac)
            if link is False:
                raise errors.NotActive(
                    'the driver of the device has no link yet'
                )
            return bool(link)
        view = self._view(paired, agent)
        standby = paired.pairing.link(view, False)
        names = paired.pairing.link(view, True)
        try:
            if names is not None:
                bonds.activate(agent, *names)
                return True
            if standby is None:
                return False
            if join:
                _join(paired, view, standby[0], agent)
        except errors.Denied as exc:
            # It is seen that the guest is on its standby, which must go on.
            raise errors.NotActive(str(exc)) from exc
        raise errors.NotActive(f'the device is not in {standby[0]}')

    def _agent(self) -> agents.Agent | None:
        # One that did not answer once may do so now.
        return self._observer.agent() or self._observer.agent()

    def _view(
        self, paired: paired_ports.PairedPort, agent: agents.Agent
    ) -> pairs.View:
        view = self._observer.view(paired, agent)
        if view.guest is None or view.guest.silent:
            raise errors.GuestError('the guest does not tell of its NICs')
        return view


def _demand_bonds(paired: paired_ports.PairedPort, view: pairs.View) -> None:
    """See that nobody tells of bonds, if the standby is one of ours.

    :raises errors.NotActive: it is in none of those that are told
    """
    told = view.guest.bonds if view.guest else None
    if told is not None and paired.standby is not None:
        raise errors.NotActive(
            f'the standby {paired.pair.standby_mac} is in no bond'
        )


def _join(
    paired: paired_ports.PairedPort,
    view: pairs.View,
    bond: str,
    agent: agents.Agent,
) -> None:
    assert view.guest is not None
    name = nics.free(agent, paired.pair.mac, view.guest.bonds or ())
    if name is not None:
        bonds.enslave(agent, bond, name)
