# SPDX-License-Identifier: Apache-2.0
"""Plug and unplug devices, bounded in time, and report what is left."""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
import dataclasses

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import steps

Clock = Callable[[], float]


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What the steps came to.

    :ivar done: the devices whose step was proven
    :ivar failures: a sentence for each other device, by host PCI address
    :ivar unfit: those of them instead of which another may be tried
    """

    done: tuple[model.Device, ...]
    failures: dict[str, reasons.Failure]
    unfit: frozenset[str] = frozenset()


def wait_for_release(
    domain: interfaces.Domain,
    addresses: Collection[str],
    *,
    seconds: float,
    clock: Clock,
    stop: Callable[[], bool],
) -> None:
    """Give the guest time before it is asked for devices.

    Nothing is asked. A guest may release devices by itself; when it has
    released all there is nothing more to wait for.

    :param addresses: host PCI addresses of the devices
    :param clock: monotonic seconds
    :param stop: as that of :func:`unplug`
    """
    deadline = clock() + seconds
    with domain.watch() as watch:
        while (
            clock() < deadline and not stop() and _has_any(domain, addresses)
        ):
            watch.wait(max(deadline - clock(), 0.0))


def _has_any(domain: interfaces.Domain, addresses: Collection[str]) -> bool:
    """True as well where that cannot be seen."""
    try:
        live = domain.observe().live
    except errors.HostError:
        return True
    return any(address in live for address in addresses)


def unplug(
    domain: interfaces.Domain,
    wiring: interfaces.Wiring,
    todo: Sequence[steps.Unplug],
    *,
    seconds: float,
    retry: float,
    clock: Clock,
    stop: Callable[[], bool],
) -> Outcome:
    """Ask for all devices at once, then wait for all under one deadline.

    A guest that is still booting loses a request, so each device that is
    still there is asked for again every ``retry`` seconds. Proof is the
    ``device-removed`` event or the live XML, never a return code.

    :param seconds: the deadline for all devices together
    :param retry: seconds between two requests for one device
    :param clock: monotonic seconds
    :param stop: tells whether to wait no longer; whoever makes it true also
        wakes the watch
    :returns: never raises for a device; one in ``failures`` is still in the
        live domain and, once it was asked for, may still leave it
    """
    left = {step.alias: step for step in todo}
    failures: dict[str, reasons.Failure] = {}
    errors_by_alias: dict[str, str] = {}
    gone: list[model.Device] = []
    begin = ask_at = clock()
    deadline = begin + seconds
    with domain.watch() as watch:
        while left and clock() < deadline and not stop():
            if clock() >= ask_at:
                errors_by_alias = _ask(domain, left)
                ask_at = clock() + retry
            events = watch.wait(max(min(deadline, ask_at) - clock(), 0.0))
            for step in _released(domain, events, left):
                wiring.disconnect(step.device)
                gone.append(step.device)
            for step in _kept(events, left):
                failures[step.device.address] = reasons.Failure(
                    reasons.Reason.UNPLUG_REFUSED,
                    'the guest reported that it cannot release it',
                )
    for alias, step in left.items():
        answer = errors_by_alias.get(alias)
        failures[step.device.address] = reasons.Failure(
            reasons.Reason.UNPLUG_TIMEOUT,
            f'the guest did not release it within {clock() - begin:.0f} s '
            f'and may still do so'
            + (f' (last answer: {answer})' if answer else ''),
        )
    return Outcome(tuple(gone), failures)


def _ask(
    domain: interfaces.Domain, left: dict[str, steps.Unplug]
) -> dict[str, str]:
    """Request each device; an error is no proof, so it is only kept."""
    answers = {}
    for alias in left:
        try:
            domain.request_unplug(alias)
        except errors.HostError as exc:
            answers[alias] = str(exc)
    return answers


def _released(
    domain: interfaces.Domain,
    events: Sequence[interfaces.DeviceEvent],
    left: dict[str, steps.Unplug],
) -> list[steps.Unplug]:
    """Take what has left the guest out of ``left`` and return it."""
    removed = {event.alias for event in events if event.removed}
    try:
        live = domain.observe().live
    except errors.HostError:
        # Without the XML only the events count; it is read again later.
        gone = [alias for alias in left if alias in removed]
    else:
        gone = [
            alias
            for alias, step in left.items()
            if alias in removed or step.device.address not in live
        ]
    return [left.pop(alias) for alias in gone]


def _kept(
    events: Sequence[interfaces.DeviceEvent], left: dict[str, steps.Unplug]
) -> list[steps.Unplug]:
    """Take what the guest refused to release out of ``left``."""
    refused = [event.alias for event in events if not event.removed]
    return [left.pop(alias) for alias in refused if alias in left]


def keep(
    domain: interfaces.Domain, todo: Sequence[steps.Keep]
) -> dict[str, str]:
    """Complete the record of what the guest must have.

    :returns: what libvirt said of each device that could not be recorded, by
        host PCI address; it may come back at another address in the guest
    """
    left = {}
    for step in todo:
        try:
            domain.keep(step.xml)
        except errors.HostError as exc:
            left[step.device.address] = str(exc)
    return left


def plug(
    domain: interfaces.Domain,
    wiring: interfaces.Wiring,
    todo: Sequence[steps.Plug],
    *,
    seconds: float,
) -> Outcome:
    """Plug each device on its own; one that fails does not stop the others.

    :param seconds: the deadline for each device
    :returns: never raises for a device; one in ``failures`` is not in the
        guest (it may still come after a time-out)
    """
    failures: dict[str, reasons.Failure] = {}
    unfit: set[str] = set()
    done: list[model.Device] = []
    for step in todo:
        address = step.device.address
        try:
            wiring.connect(step.device)
            domain.plug(step.xml, step.persist, seconds)
            done.append(step.device)
        except errors.HostError as exc:
            failures[address] = reasons.Failure(_reason(exc), str(exc))
            if isinstance(exc, errors.UnfitDevice):
                unfit.add(address)
            if not isinstance(exc, errors.PlugTimeout):
                wiring.disconnect(step.device)
    return Outcome(tuple(done), failures, frozenset(unfit))


def _reason(exc: errors.HostError) -> reasons.Reason:
    if isinstance(exc, errors.PlugTimeout):
        return reasons.Reason.PLUG_TIMEOUT
    if isinstance(exc, errors.PlugFailed):
        return reasons.Reason.PLUG_FAILED
    return reasons.Reason.HOST_ERROR
