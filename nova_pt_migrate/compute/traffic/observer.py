# SPDX-License-Identifier: Apache-2.0
"""Look at a server's pairs: its domain, its image, its guest's agent."""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model
from nova_pt_migrate.core import pairs
from nova_pt_migrate.guest import agent as agents
from nova_pt_migrate.guest import bonds


class Observer:
    """Looks at the pairs of one server on this host.

    :param new_agent: makes a client of its agent, for one look
    """

    def __init__(
        self,
        domain: interfaces.Domain,
        new_agent: Callable[[], agents.Agent],
    ) -> None:
        self._domain = domain
        self._new_agent = new_agent

    def agent(self) -> agents.Agent | None:
        """Return the guest's agent for one look; None if it is absent."""
        agent = self._new_agent()
        return None if agent.degree() is agents.Degree.ABSENT else agent

    def views(
        self, ports: Collection[paired_ports.PairedPort]
    ) -> list[pairs.View]:
        """Return what is seen of each pair now, in one look.

        The agent is asked as well whether it may switch the bonds.

        :raises errors.HostError: libvirt does not answer
        """
        found = self._domain.observe()
        agent = self.agent() if ports else None
        return [
            _with_denial(paired, agent, self.view(paired, agent, found))
            for paired in ports
        ]

    def sent(self, paired: paired_ports.PairedPort) -> int:
        """Return how many frames the guest has sent on the standby's port.

        :raises errors.HostError: libvirt does not tell, or it is not there
        """
        for target, mac in self._domain.observe().targets.items():
            if mac == paired.pair.standby_mac:
                return self._domain.sent(target)
        raise errors.HostError(
            f'the guest has no NIC {paired.pair.standby_mac}'
        )

    def view(
        self,
        paired: paired_ports.PairedPort,
        agent: agents.Agent | None,
        found: model.Found | None = None,
    ) -> pairs.View:
        """Return what is seen of a pair now.

        :raises errors.HostError: libvirt does not answer
        """
        found = found or self._domain.observe()
        return pairs.View(
            pair=paired.pair,
            pcie=paired.machine.pcie,
            virtio=paired.machine.virtio,
            standby_there=_is_there(paired, found),
            guest=None
            if agent is None
            else _guest(agent, paired.pairing.teaming),
            earlier=paired.standby is None
            and pairs.link_name(paired.pair.port) in found.targets,
            held=paired.standby is not None
            and paired.standby.link in found.unlinked,
        )


def _is_there(paired: paired_ports.PairedPort, found: model.Found) -> bool:
    if paired.standby is not None:
        return paired.standby.link in found.targets
    return paired.pair.standby_mac in found.targets.values()


def _guest(agent: agents.Agent, joined: bool) -> pairs.GuestView:
    """Return what the guest tells, which may be nothing."""
    try:
        return bonds.view(agent, joined)
    except errors.GuestError as exc:
        return pairs.GuestView({}, silent=str(exc))


def _with_denial(
    paired: paired_ports.PairedPort,
    agent: agents.Agent | None,
    view: pairs.View,
) -> pairs.View:
    """Add to a view that the agent may not switch the pair's bond."""
    names = paired.pairing.link(view, False)
    if agent is None or view.guest is None or names is None:
        return view
    try:
        bonds.check_activate(agent, names[0])
    except errors.Denied as exc:
        guest = dataclasses.replace(view.guest, denied=str(exc))
        return dataclasses.replace(view, guest=guest)
    except errors.GuestError:
        # Whether it switches it is seen when it is asked to.
        return view
    return view
