# SPDX-License-Identifier: Apache-2.0
"""Let a guest use one NIC of a pair, and see that it does."""

from collections.abc import Callable
import time

from oslo_log import log as logging

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import bonds
from nova_pt_migrate.guest import nics

LOG = logging.getLogger(__name__)
USED = 15.0
"""Seconds that a guest has to use a device that was plugged."""
JOINED = 3.0
"""Seconds of these that it has to put the device into its bond by itself."""
SETTLED = 4.0
"""Seconds for that where nobody tells of it.

igbvf looks at its link every 2 s (igbvf_watchdog_task), others more often.
"""
ARRIVED = 3.0
"""Seconds that a guest has to send on a second port that was made active.

Linux announces that at once, or when its link watch, which runs once a second,
has caught up (bond_should_notify_peers, net/core/link_watch.c).
"""
INTERVAL = 0.2


class GuestSide:
    """The guest's side of the pairs of one server.

    :param observer: looks at them; None where only the host is switched
    """

    def __init__(
        self,
        observer: observer.Observer | None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._observer = observer
        self._clock = clock
        self._pause = pause
        self._sent: list[tuple[paired_ports.PairedPort, int]] = []

    def standby(self, paired: paired_ports.PairedPort) -> None:
        """Make the standby active in the guest's bond, where one is told of.

        What has been sent on a second port before is kept, for
        :meth:`quiet`. Where the agent may not do it, or does not answer, the
        bond does it when the device leaves, as that of a guest without one.

        :raises errors.NotActive: it is seen that it is not
        """
        agent = self._agent()
        if not paired.pairing.second_port or agent is None:
            return
        try:
            names = paired.pairing.link(self._view(paired, agent), False)
            if names is None:
                return
            before = self._count(paired)
            bonds.activate(agent, *names)
        except errors.NotActive:
            raise
        except errors.GuestError as exc:
            LOG.info(
                'The bond of port %s is left to the guest: %s',
                paired.pair.port, exc,
            )  # fmt: skip
            return
        if before is not None:
            self._sent.append((paired, before))

    def _count(self, paired: paired_ports.PairedPort) -> int | None:
        """Return what was sent on a second port; None for any other."""
        if paired.pair.kind is not pairs.StandbyKind.PORT:
            return None
        assert self._observer is not None
        try:
            return self._observer.sent(paired)
        except errors.HostError as exc:
            LOG.warning(
                'What the guest sends on port %s cannot be seen, and is not '
                'waited for: %s', paired.pair.standby_port, exc,
            )  # fmt: skip
            return None

    def quiet(self, stop: Callable[[], bool]) -> list[paired_ports.PairedPort]:
        """Wait until the guest has sent on each second port in use now.

        All have the same seconds. Others learn from what it sends where it
        is; until then they send to the device. Raises nothing.

        :param stop: tells whether to wait no longer
        :returns: those on which it has sent nothing in that time
        """
        end = self._clock() + ARRIVED
        while not stop():
            self._sent = [each for each in self._sent if self._waits(*each)]
            if not self._sent or self._clock() >= end:
                return [paired for paired, _ in self._sent]
            self._pause(INTERVAL)
        return []

    def _waits(self, paired: paired_ports.PairedPort, before: int) -> bool:
        """True as well where that cannot be seen."""
        assert self._observer is not None
        try:
            return self._observer.sent(paired) == before
        except errors.HostError:
            return True

    def primary(self, paired: paired_ports.PairedPort, patient: bool) -> None:
        """Wait until the guest uses the device, which is in it.

        :param patient: wait as well where nobody can tell
        :raises errors.NotActive: it does not use it
        :raises errors.GuestError: its agent does not tell as it should
        """
        begin = self._clock()
        while True:
            passed = self._clock() - begin
            try:
                seen = self._uses(paired, passed >= JOINED)
            except errors.GuestError:
                if passed >= USED:
                    raise
                self._pause(INTERVAL)
            else:
                if not seen and patient:
                    self._pause(SETTLED)
                return

    def _uses(self, paired: paired_ports.PairedPort, join: bool) -> bool:
        """Tell whether the guest uses the device; False if nobody can tell.

        A bond is switched to it. A device that is not in the bond is put
        there if ``join``.

        :raises errors.GuestError: it does not use it, or tells nothing
        """
        agent = self._agent()
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
        if self._observer is None:
            return None
        # One that did not answer once may do so now.
        return self._observer.agent() or self._observer.agent()

    def _view(
        self, paired: paired_ports.PairedPort, agent: agents.Agent
    ) -> pairs.View:
        assert self._observer is not None
        view = self._observer.view(paired, agent)
        if view.guest is None or view.guest.silent:
            raise errors.GuestError('the guest does not tell of its NICs')
        return view


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
