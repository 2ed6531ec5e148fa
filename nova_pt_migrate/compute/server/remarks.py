# SPDX-License-Identifier: Apache-2.0
"""What is said of the devices of a server while it leaves or comes home."""

from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.core import course as courses
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import order
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import waits

LOG = logging.getLogger(__name__)


def quiet(
    instance: Any,
    reporter: phases.Reporter | None,
    ports: Iterable[paired_ports.PairedPort],
    failures: Container[str],
) -> None:
    """Say of standbys that nothing was seen on them.

    :param reporter: takes down what the user is told
    :param failures: UUIDs of their pass-through ports
    """
    sentences = [
        f'Nothing came from the guest on port {paired.pair.standby_port} for '
        f'{waits.ARRIVED:g} s since its bond was switched from port '
        f'{paired.pair.port} to it, so that others may not know yet: set '
        f'num_grat_arp of the bond to 3 or more.'
        for paired in ports
        if paired.pair.port in failures
    ]
    for sentence in sentences:
        LOG.warning(
            'The live migration goes on: %s', sentence, instance=instance
        )
    if sentences and reporter:
        reporter.remark(
            reasons.Failure(reasons.Reason.QUIET, ' '.join(sentences))
        )


def not_carried(
    instance: Any,
    ports: Iterable[paired_ports.PairedPort],
    failures: courses.Failures,
) -> None:
    """Say which standbys do not carry, before devices are asked for.

    :raises errors.NotSwitched: one of them is required
    """
    why = {key.port: failure for key, failure in failures.items()}
    for paired in ports:
        port = paired.pair.port
        if port not in why:
            continue
        if paired.choice.standby is pairs.Need.REQUIRED:
            raise errors.NotSwitched(
                f'The standby of port {port} does not carry its traffic: '
                f'{why[port]}'
            )
        LOG.warning(
            'The standby of port %s does not carry its traffic, and the live '
            'migration goes on: %s', port, why[port], instance=instance,
        )  # fmt: skip


def not_done(
    instance: Any,
    key: planned.Key,
    failure: reasons.Failure,
    carrier: handover.Carrier,
) -> None:
    """Say of what the guest can do without that it was not done.

    :param carrier: who should carry the pair
    """
    match key.stage:
        case order.Stage.RECORD:
            LOG.warning(
                'Device %s is not in the persistent XML, and cannot be put '
                'there: %s. Once unplugged it may come back at another PCI '
                'address in the guest.', key.device, failure,
                instance=instance,
            )  # fmt: skip
        case order.Stage.BEGIN | order.Stage.READY:
            LOG.debug(
                'The standby of port %s is not on yet, which is tried again: '
                '%s', key.port, failure, instance=instance,
            )  # fmt: skip
        case order.Stage.USE:
            LOG.warning(
                'The guest was not switched back to port %s: %s',
                key.port, failure, instance=instance,
            )  # fmt: skip
        case order.Stage.CARRY | order.Stage.RETURN | order.Stage.SILENCE:
            LOG.error(
                'The traffic of port %s should be %s, and is not: %s. It is '
                'tried again from time to time.',
                key.port, carrier.value, failure, instance=instance,
            )  # fmt: skip


def missing(
    instance: Any, failures: dict[str, reasons.Failure]
) -> dict[str, reasons.Failure]:
    """Say which devices are not in the guest, and return them.

    :param failures: a sentence for each, by host PCI address
    """
    for device, reason in failures.items():
        LOG.error(
            'Device %s is not in the guest: %s. The server runs without '
            'it; plugging it is tried again from time to time, and when '
            'the server is rebooted hard.',
            device, reason, instance=instance,
        )  # fmt: skip
    return failures


@contextlib.contextmanager
def giving_way(phase: phases.Phase) -> Iterator[None]:
    """Nothing has failed in a phase that somebody else ends."""
    try:
        yield
    except errors.NotOurTurn:
        phase.fail(phase_names.Result.GAVE_WAY, {})
        raise


def why_not(exc: Exception) -> reasons.Failure:
    """Return the reason why no device was asked for."""
    refused = isinstance(exc, errors.Refused)
    codes = reasons.Reason
    return reasons.Failure(
        codes.NOT_READY if refused else codes.SWITCH_FAILED, str(exc)
    )
