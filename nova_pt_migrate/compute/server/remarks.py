# SPDX-License-Identifier: Apache-2.0
"""What is said of the devices of a server while it leaves or comes home."""

from collections.abc import Iterator
import contextlib
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)


def quiet(
    instance: Any, reporter: phases.Reporter | None, sentences: list[str]
) -> None:
    """Say of standbys that nothing was seen on them.

    :param reporter: takes down what the user is told
    """
    for sentence in sentences:
        LOG.warning(
            'The live migration goes on: %s', sentence, instance=instance
        )
    if sentences and reporter:
        reporter.remark(
            reasons.Failure(reasons.Reason.QUIET, ' '.join(sentences))
        )


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
