# SPDX-License-Identifier: Apache-2.0
"""Run the tasks of a stage, and report what was done and what is left.

Each step is bounded in time. One that fails ends its task; other tasks go on,
unless the plan says that nothing else is to be done then.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import time
from typing import TypeVar

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import order
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import plugging
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import steps
from nova_pt_migrate.core import waits

S = TypeVar('S', bound=steps.Step)
Tasks = Sequence[planned.Task]


@dataclasses.dataclass(frozen=True, slots=True)
class Hands:
    """What is acted with, and within which limits.

    :ivar domain: None, as wiring and guest, where only the host is switched
    :ivar stop: tells whether to wait no longer; whoever makes it true also
        wakes the domain's watch
    :ivar unplug: seconds for all devices together
    :ivar retry: seconds between two requests for one device
    :ivar plug: seconds for each device
    """

    links: interfaces.Links
    domain: interfaces.Domain | None = None
    wiring: interfaces.Wiring | None = None
    guest: interfaces.Guest | None = None
    time: waits.Time = waits.Time(time.monotonic, time.sleep)
    stop: Callable[[], bool] = lambda: False
    unplug: float = 0.0
    retry: float = 0.0
    plug: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What the tasks of a stage came to.

    :ivar done: those that were done
    :ivar failures: why others were not
    :ivar unfit: devices instead of which others may be tried
    :ivar carriers: who is to carry a pair whose use was waited for, by device
    :ivar sure: devices by which the guest was seen to send
    """

    done: tuple[planned.Task, ...] = ()
    failures: Mapping[planned.Key, reasons.Failure] = dataclasses.field(
        default_factory=dict
    )
    unfit: frozenset[str] = frozenset()
    carriers: Mapping[str, handover.Carrier] = dataclasses.field(
        default_factory=dict
    )
    sure: frozenset[str] = frozenset()


def run(tasks: Tasks, hands: Hands) -> Outcome:
    """Run the tasks of one stage.

    :raises errors.NotOurTurn: an operation has taken over; what was done
        until then is done. Nothing else is raised.
    """
    return _STAGES.get(tasks[0].key.stage, _one_by_one)(tasks, hands)


def _one_by_one(tasks: Tasks, hands: Hands) -> Outcome:
    """Switch links, and tell bonds."""
    done, failures = [], {}
    for task in tasks:
        try:
            _switch(task, hands)
        except (errors.HostError, errors.GuestError) as exc:
            failures[task.key] = reasons.Failure(
                reasons.Reason.HOST_ERROR, str(exc)
            )
            if task.ends:
                break
        else:
            done.append(task)
    return Outcome(tuple(done), failures)


def _switch(task: planned.Task, hands: Hands) -> None:
    if task.cannot is not None:
        raise task.cannot
    for step in task.todo:
        match step:
            case steps.Favour(port, fresh):
                assert hands.guest is not None
                waits.favour(hands.guest, port, fresh, hands.time)
            case steps.Connect(link) | steps.Disconnect(link):
                assert hands.domain is not None
                hands.domain.set_link(link, isinstance(step, steps.Connect))
            case steps.Settle(seconds):
                hands.time.pause(seconds)
            case _ if isinstance(step, steps.LinkStep):
                hands.links.run(step)


def _hear(tasks: Tasks, hands: Hands) -> Outcome:
    assert hands.guest is not None
    quiet = waits.hear(
        hands.guest,
        [task.key.port for task in tasks],
        hands.time,
        hands.stop,
    )
    return Outcome(
        tuple(task for task in tasks if task.key.port not in quiet),
        {
            task.key: reasons.Failure(reasons.Reason.QUIET, task.key.port)
            for task in tasks
            if task.key.port in quiet
        },
    )


def _use(tasks: Tasks, hands: Hands) -> Outcome:
    assert hands.guest is not None
    done, failures, carriers = [], {}, {}
    sure: set[str] = set()
    for task in tasks:
        failure: Exception | None = None
        try:
            for step in task.todo:
                if isinstance(step, steps.Use):
                    waits.use(hands.links, step.device, hands.time)
                elif isinstance(step, steps.Prefer) and waits.prefer(
                    hands.guest, step.port, step.patient, hands.time
                ):
                    sure.add(task.key.device)
            done.append(task)
        except (errors.HostError, errors.GuestError) as exc:
            failure = exc
            failures[task.key] = reasons.Failure(
                reasons.Reason.HOST_ERROR, str(exc)
            )
        carriers[task.key.device] = waits.carrier_after(failure)
    return Outcome(
        tuple(done), failures, carriers=carriers, sure=frozenset(sure)
    )


def _keep(tasks: Tasks, hands: Hands) -> Outcome:
    assert hands.domain is not None
    left = plugging.keep(hands.domain, _steps(tasks, steps.Keep))
    return _of_devices(
        tasks,
        {
            address: reasons.Failure(reasons.Reason.HOST_ERROR, answer)
            for address, answer in left.items()
        },
    )


def _unplug(tasks: Tasks, hands: Hands) -> Outcome:
    assert hands.domain is not None
    assert hands.wiring is not None
    found = plugging.unplug(
        hands.domain,
        hands.wiring,
        _steps(tasks, steps.Unplug),
        seconds=hands.unplug,
        retry=hands.retry,
        clock=hands.time.clock,
        stop=hands.stop,
    )
    return _of_devices(tasks, found.failures)


def _plug(tasks: Tasks, hands: Hands) -> Outcome:
    assert hands.domain is not None
    assert hands.wiring is not None
    found = plugging.plug(
        hands.domain,
        hands.wiring,
        _steps(tasks, steps.Plug),
        seconds=hands.plug,
    )
    return _of_devices(tasks, found.failures, found.unfit)


def _of_devices(
    tasks: Tasks,
    failures: Mapping[str, reasons.Failure],
    unfit: frozenset[str] = frozenset(),
) -> Outcome:
    return Outcome(
        tuple(task for task in tasks if task.key.device not in failures),
        {
            task.key: failures[task.key.device]
            for task in tasks
            if task.key.device in failures
        },
        unfit,
    )


def _steps(tasks: Tasks, kind: type[S]) -> list[S]:
    return [
        step for task in tasks for step in task.todo if isinstance(step, kind)
    ]


_STAGES: Mapping[order.Stage, Callable[[Tasks, Hands], Outcome]] = {
    order.Stage.RECORD: _keep,
    order.Stage.UNPLUG: _unplug,
    order.Stage.PLUG: _plug,
    order.Stage.HEAR: _hear,
    order.Stage.USE: _use,
}
