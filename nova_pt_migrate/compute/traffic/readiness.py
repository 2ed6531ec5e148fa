# SPDX-License-Identifier: Apache-2.0
"""Why a server may not leave this host now, every reason at once.

Nova's conductor has each host that it tries ask the source anew, in one
request. Guest, libvirt and Neutron need not be asked again for each, nor may
a guest be asked as often as a cloud has hosts, so what was found is kept.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import threading
import time
from typing import Any

from nova import exception
from nova.compute import power_state

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons as codes
from nova_pt_migrate.core import two_ports

TwoPorts = Mapping[str, two_ports.TwoPorts]
"""What Neutron says, by the UUID of the pass-through port."""
Ask = Callable[[Collection[paired_ports.PairedPort]], TwoPorts]
LASTING = 60.0
"""Seconds from the begin of an observation for which it is good."""
MOST = 100
"""Findings that are kept."""


@dataclasses.dataclass
class Findings:
    """What was found; each list has one sentence for each finding.

    :ivar reasons: for which the server may not leave
    :ivar warnings: for which it may, but its network may be interrupted
    """

    reasons: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def add(
        self, paired: paired_ports.PairedPort, sentences: Iterable[str]
    ) -> None:
        """Take down why a pair is not ready, as its server wants it."""
        if paired.choice.standby is pairs.Need.REQUIRED:
            self.reasons.extend(sentences)
        else:
            self.warnings.extend(sentences)


def check(
    instance: Any,
    vifs: list[our_vifs.Vif],
    ports: Collection[paired_ports.PairedPort],
    observer: observer.Observer,
    ask: Ask,
) -> Findings:
    """Look at a server that is to leave; changes nothing.

    :param vifs: those whose devices are ours
    :param ports: those that want a standby
    :param ask: asks Neutron about pairs over two ports
    """
    found = Findings(our_vifs.refusals(vifs))
    if instance.power_state == power_state.PAUSED:
        found.reasons.append(
            f'Server {instance.uuid} is paused, and a paused guest cannot '
            f'release a device. Unpause it.'
        )
    told = _told(ports, ask, found)
    try:
        of_pairs = pairs_ready(ports, observer, told)
    except errors.HostError as exc:
        found.reasons.append(f'Server {instance.uuid}: {exc}.')
        return found
    return Findings(
        found.reasons + of_pairs.reasons, found.warnings + of_pairs.warnings
    )


def _told(
    ports: Iterable[paired_ports.PairedPort], ask: Ask, found: Findings
) -> TwoPorts:
    """Return what Neutron says; take down that it says nothing."""
    over = [c for c in ports if c.pair.kind is pairs.StandbyKind.PORT]
    if not over:
        return {}
    try:
        return ask(over)
    except errors.HostError as exc:
        for paired in over:
            found.add(
                paired,
                [
                    f'{exc}, so that port {paired.pair.port} and its standby, '
                    f'port {paired.pair.standby_port}, cannot be looked at: '
                    f'see the log of Neutron, and migrate again.'
                ],
            )
        return {}


def pairs_ready(
    ports: Iterable[paired_ports.PairedPort],
    observer: observer.Observer,
    told: TwoPorts | None = None,
) -> Findings:
    """Look at the pairs alone, as directly before they are switched over.

    :param told: by Neutron, where it is asked
    :raises errors.HostError: libvirt does not answer
    """
    found = Findings()
    looked_at = list(ports)
    for paired, view in zip(looked_at, observer.views(looked_at), strict=True):
        if view.earlier:
            # Its netdev is made on no other host.
            found.reasons.append(
                f'The guest has a standby of port {paired.pair.port} that it '
                f'should not have any more: reboot the server hard, and '
                f'migrate again.'
            )
        lacking = lacks(paired)
        if lacking:
            found.add(paired, lacking)
            continue
        seen = dataclasses.replace(
            view, ports=(told or {}).get(paired.pair.port)
        )
        found.add(paired, paired.pairing.not_ready(seen))
        found.warnings.extend(paired.pairing.doubts(seen))
        found.warnings.extend(_left_to_guest(paired, seen))
    return found


def _left_to_guest(
    paired: paired_ports.PairedPort, view: pairs.View
) -> tuple[str, ...]:
    """Say why an agent that is there does nothing for a bond."""
    if not paired.pairing.second_port or view.guest is None:
        return ()
    left = (
        f'The bond of port {view.pair.port} is left to the guest, as if it '
        f'had no agent: '
    )
    if view.guest.silent:
        return (f'{left}{view.guest.silent}. See why it does not answer.',)
    if view.guest.denied:
        return (
            f'{left}{view.guest.denied}. Let its security policy (SELinux: '
            f'virt_qemu_ga_t) allow that, or block the command for the agent.',
        )
    return ()


def lacks(paired: paired_ports.PairedPort) -> tuple[str, ...]:
    """Say why a port that wants a standby can have none on this host."""
    if paired.pair.kind is not pairs.StandbyKind.NONE:
        return ()
    if paired.unfit:
        return paired.unfit
    network = (paired.vif['profile'] or {}).get('physical_network')
    return (
        f'Port {paired.pair.port} has no standby: map physical network '
        f'{network} in [pt_migrate] standby_uplinks of its host and reboot '
        f'the server hard, or set extra spec pt_migrate:standby.',
    )


def refuse(
    phase: phases.Phase, not_ready: Iterable[str], peer: Iterable[str]
) -> None:
    """Refuse, in the phase, if there is any reason.

    :param not_ready: why the server may not leave this host
    :param peer: why it may not come to the other
    :raises nova.exception.MigrationPreCheckError: naming every reason
    """
    own, other = list(not_ready), list(peer)
    if not own and not other:
        return
    refused = str(errors.Refused([*own, *other]))
    reason = codes.Reason.NOT_READY if own else codes.Reason.PEER
    phase.fail(
        phase_names.Result.REFUSED, {'': codes.Failure(reason, refused)}
    )
    raise exception.MigrationPreCheckError(reason=refused)


class ReadinessCache:
    """Keeps what was last found on this host.

    :param now: gives monotonic seconds
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, Findings]] = {}

    def of(
        self, request: str, server: str, observe: Callable[[], Findings]
    ) -> Findings:
        """Return what was found for a request, or observe now.

        What is returned is not to be changed.

        :param request: Nova's ID of the user's request
        :param server: its UUID
        :raises Exception: what ``observe`` raises; nothing is kept
        """
        begun = self._now()
        with self._lock:
            kept = self._kept.get((request, server))
        if kept and begun - kept[0] < LASTING:
            return kept[1]
        found = observe()
        with self._lock:
            self._kept.pop((request, server), None)
            self._kept[request, server] = begun, found
            for oldest in list(self._kept)[:-MOST]:
                del self._kept[oldest]
        return found
