# SPDX-License-Identifier: Apache-2.0
"""Why a server may not leave this host now, every reason at once."""

from collections.abc import Iterable
from typing import Any

from nova import exception
from nova.compute import power_state

from nova_pt_migrate.compute import phases
from nova_pt_migrate.compute import ports
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import ports as core_ports
from nova_pt_migrate.core import reasons as codes
from nova_pt_migrate.pairing import contract


def reasons(
    instance: Any,
    vifs: list[ports.Vif],
    domain: core_ports.Domain,
    pairings: Iterable[contract.Pairing],
) -> list[str]:
    """Return one sentence for each reason; changes nothing.

    :param vifs: those whose devices are ours
    """
    found = ports.refusals(vifs)
    if instance.power_state == power_state.PAUSED:
        found.append(
            f'Server {instance.uuid} is paused, and a paused guest cannot '
            f'release a device. Unpause it.'
        )
    try:
        state = domain.observe()
    except errors.HostError as exc:
        return [*found, f'Server {instance.uuid}: {exc}.']
    for pairing in pairings:
        found.extend(pairing.reasons_not_ready(state))
    return found


def refuse(phase: phases.Phase, not_ready: list[str], peer: list[str]) -> None:
    """Refuse, in the phase, if there is any reason.

    :param not_ready: why the server may not leave this host
    :param peer: why it may not come to the other
    :raises nova.exception.MigrationPreCheckError: naming every reason
    """
    if not not_ready and not peer:
        return
    refused = str(errors.Refused([*not_ready, *peer]))
    reason = codes.Reason.NOT_READY if not_ready else codes.Reason.PEER
    phase.fail('refused', {'': codes.Failure(reason, refused)})
    raise exception.MigrationPreCheckError(reason=refused)
