# SPDX-License-Identifier: Apache-2.0
"""The pre-check of a destination: it refuses, and lets nothing else happen.

Where Nova's check of a destination ends with an exception that it does not
know as a refusal, it sets the server to ERROR and tries no other host
(nova/conductor/tasks/live_migrate.py, _find_destination). Nothing has been
changed by then, so whatever goes wrong is a refusal of this host.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import dataclasses
from typing import Any

from nova import exception
from oslo_log import log as logging

from nova_pt_migrate.compute import local_domain
from nova_pt_migrate.compute.claims import bindings
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import prepared
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """A pre-check that has found enough devices.

    :ivar host: this one
    :ivar requests: what Nova claims next
    """

    instance: Any
    host: str
    requests: list[pci_tracker.Request]


def begin(
    told: actions.Story,
    host: Any,
    context: Any,
    instance: Any,
    tracker: Any,
    left: prepared.Prepared,
    bound: bool,
) -> Check:
    """Free what is left of an earlier attempt, and look for free devices.

    :param told: the story of the user's request
    :param host: nova.virt.libvirt.host.Host on the destination
    :param left: what such attempts have set up here
    :param bound: there may be bindings of such attempts
    :raises nova.exception.MigrationPreCheckError: with what to do
    """
    if runs_here(host, instance):
        raise exception.MigrationPreCheckError(
            reason=f'Host {tracker.host} runs a guest of server '
            f'{instance.uuid} already: see which of the two the server is, '
            f'and choose another host.'
        )
    if not left.take_down(instance.uuid):
        raise exception.MigrationPreCheckError(
            reason=f'Host {tracker.host} has devices from an earlier live '
            f'migration of server {instance.uuid} that cannot be set back: '
            f'see its log, or choose another host.'
        )
    pci_tracker.free(context, tracker, instance.uuid)
    if bound:
        bindings.delete_left(instance, tracker.host)
    check = Check(
        instance, tracker.host, pci_tracker.requests(tracker, instance)
    )
    unmet = pci_tracker.unmet(tracker, check.requests)
    if unmet:
        told.tell(_failure(unmet))
        # The next host, if there is one, must find the event.
        told.wait()
        raise _no_device(tracker.host, unmet)
    return check


def refuse(
    told: actions.Story,
    sentences: Iterable[str],
    reason: reasons.Reason = reasons.Reason.DESTINATION,
) -> None:
    """Refuse for what is not as it must be, if there is any sentence.

    :param told: the story of the user's request
    :raises nova.exception.MigrationPreCheckError: naming every reason
    """
    refused = str(errors.Refused(list(sentences)))
    if not refused:
        return
    told.tell(reasons.Failure(reason, refused))
    # The next host, if there is one, must find the event.
    told.wait()
    raise exception.MigrationPreCheckError(reason=refused)


def runs_here(host: Any, instance: Any) -> bool:
    """True if libvirt of this host has a guest of the server, in any state.

    One that is paused, or whose memory is on its way here, may become the
    only one.

    :param host: nova.virt.libvirt.host.Host
    :raises Exception: libvirt does not answer
    """
    try:
        return local_domain.read(host, instance).active
    except exception.InstanceNotFound:
        return False


@contextlib.contextmanager
def refusing(host: str) -> Iterator[None]:
    """Turn what goes wrong in the context into a refusal of this host."""
    try:
        yield
    except Exception as exc:
        refusal = as_refusal(host, exc)
        if refusal is exc:
            raise
        raise refusal from exc


def as_refusal(
    host: str,
    exc: Exception,
    requests: list[pci_tracker.Request] | None = None,
) -> Exception:
    """Return an exception that Nova takes for a refusal.

    :param requests: what was being claimed
    """
    found: Any = exc
    if isinstance(
        found, (exception.Invalid, exception.MigrationPreCheckError)
    ):
        return exc
    if isinstance(found, exception.PciDeviceRequestFailed):
        ids = {each.request_id for each in found.kwargs['requests']}
        return _no_device(
            host, [r for r in requests or () if r.nova.request_id in ids]
        )
    refusal: Exception = exception.MigrationPreCheckError(
        reason=f'Host {host} could not be checked, see its log: '
        f'{type(exc).__name__}: {exc}'
    )
    return refusal


def _failure(requests: list[pci_tracker.Request]) -> reasons.Failure:
    """Say what there is no device for, on whatever host was tried last."""
    return reasons.Failure(
        reasons.Reason.NO_DEVICE,
        'no free device for '
        + ', '.join(request.owner for request in requests),
    )


def _no_device(host: str, requests: list[pci_tracker.Request]) -> Exception:
    """What to do comes first: Nova shows users 255 characters."""
    LOG.info(
        'Host %s has no free device for %s',
        host, '; '.join(map(str, requests)),
    )  # fmt: skip
    refusal: Exception = exception.MigrationPreCheckError(
        reason=f'Host {host} has no free device for all: free some there, or '
        f'choose another host. There is none for '
        f'{", ".join(request.owner for request in requests)}.'
    )
    return refusal
