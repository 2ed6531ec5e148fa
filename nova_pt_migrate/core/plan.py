# SPDX-License-Identifier: Apache-2.0
"""What is done next to devices, links and guest, from what was found.

One function names the tasks of the next stage, until there are none. It is
asked again after each stage, after a failure and after a restart; what was
done before shows in what is found. :mod:`core.order` has the stages of each
place in their order: the first that has something to do is next.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import order
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import steps

Carrier = handover.Carrier
Place = order.Place
Stage = order.Stage
SEEN = 0.3
"""Seconds after which a guest has seen that a link came or went.

A bond looks every ``miimon``, which is 100 ms where nothing else is said by
who makes it; net_failover is told by the driver at once.
"""


def plan(
    found: planned.Found,
    wanted: planned.Wanted,
    known: planned.Known = planned.NOTHING,
) -> tuple[planned.Task, ...]:
    """Return the tasks of the next stage; none if nothing is left to do.

    Pure. The domain of a server that comes home may be gone: then its guest
    is away.

    :raises errors.HostError: if a device in the live domain has no alias,
        which libvirt gives to every device of an active domain
    """
    place = wanted.place
    if found.domain is not None and not found.domain.active:
        place = Place.AWAY
    if place is Place.LEAVING:
        # Refused before anything is changed.
        tuple(_unplug(found, wanted, known))
    for row in order.ORDER[place]:
        tasks = tuple(
            task
            for task in _TASKS[row.stage](found, wanted, known)
            if task.key not in known.ended
            and (task.todo or task.cannot is not None)
        )
        if tasks:
            return tasks
    return ()


def _record(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    assert found.domain is not None
    for device in wanted.devices:
        live = found.domain.live.get(device.address)
        if live and device.address not in found.domain.persistent:
            yield _of_device(Stage.RECORD, steps.Keep(device, live.xml))


def _unplug(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    assert found.domain is not None
    for device in wanted.devices:
        live = found.domain.live.get(device.address)
        if live is None:
            continue
        if live.alias is None:
            raise errors.HostError(
                f'device {device.address} of port {device.port} has no alias '
                f'in the live XML'
            )
        yield _of_device(Stage.UNPLUG, steps.Unplug(device, live.alias))


def _plug(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    """The persistent XML's element has the guest's PCI address: prefer it."""
    assert found.domain is not None
    for device in wanted.devices:
        if device.address in found.domain.live:
            continue
        kept = found.domain.persistent.get(device.address)
        yield _of_device(
            Stage.PLUG,
            steps.Plug(device, kept.xml, persist=False)
            if kept
            else steps.Plug(device, device.xml, persist=True),
        )


def _of_device(
    stage: Stage, step: steps.Keep | steps.Unplug | steps.Plug
) -> planned.Task:
    return planned.Task(
        planned.Key(stage, step.device.port, step.device.address), (step,)
    )


def _switch(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        if found.has(paired.device):
            task = _link(Stage.SWITCH, paired, found, wanted)
            fresh = any(isinstance(s, steps.Connect) for s in task.todo)
            told: tuple[steps.Step, ...] = ()
            if paired.bond:
                told = (steps.Favour(paired.port, fresh),)
            elif fresh:
                told = (steps.Settle(SEEN),)
            yield dataclasses.replace(
                task, todo=task.todo + told, ends=paired.required
            )


def _hear(
    found: planned.Found, wanted: planned.Wanted, known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        key = planned.Key(Stage.SWITCH, paired.port, paired.device)
        if paired.standby is None and key in known.ended:
            yield _of_pair(Stage.HEAR, paired, steps.Hear(paired.port))


def _carry(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        if not found.has(paired.device):
            yield _link(Stage.CARRY, paired, found, wanted)


def _use(
    found: planned.Found, wanted: planned.Wanted, known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        key = planned.Key(Stage.USE, paired.port, paired.device)
        if found.has(paired.device) and key not in known.ended:
            on = found.links.get(paired.port)
            patient = isinstance(on, errors.HostError) or bool(
                on and on.up is not False
            )
            yield _of_pair(
                Stage.USE,
                paired,
                steps.Use(paired.device),
                steps.Prefer(paired.port, patient),
            )
            return


def _return(
    found: planned.Found, wanted: planned.Wanted, known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        carrier = known.carriers.get(paired.device)
        if carrier and found.has(paired.device):
            task = _link(Stage.RETURN, paired, found, wanted, carrier)
            if paired.bond and paired.device not in known.sure:
                todo = tuple(_patient(task.todo))
                task = dataclasses.replace(task, todo=todo)
            yield task


def _ready(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        if paired.standby:
            yield _link(Stage.READY, paired, found, wanted, Carrier.SOON)


def _open(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        if paired.standby:
            todo = _at_once(found, paired, paired.standby, wanted)
            silent = (s for s in todo if not isinstance(s, steps.Announce))
            task = _of_pair(Stage.OPEN, paired, *silent)
            seen = found.links.get(paired.port)
            if isinstance(seen, errors.HostError):
                task = dataclasses.replace(task, cannot=seen)
            yield task


def _begin(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        if paired.standby:
            todo = _at_once(found, paired, paired.standby, wanted)
            yield _of_pair(Stage.BEGIN, paired, *todo)


def _at_once(
    found: planned.Found,
    paired: planned.Paired,
    standby: handover.Standby,
    wanted: planned.Wanted,
) -> tuple[handover.Step, ...]:
    seen = found.links.get(paired.port)
    known = seen if isinstance(seen, handover.Found) else None
    return handover.at_once(standby, known, wanted.both)


def _silence(
    found: planned.Found, wanted: planned.Wanted, _known: planned.Known
) -> Iterator[planned.Task]:
    for paired in wanted.pairs:
        yield _link(Stage.SILENCE, paired, found, wanted, Carrier.NOBODY)


def _patient(todo: tuple[steps.Step, ...]) -> Iterator[steps.Step]:
    """Let a bond leave a standby before that leads nowhere."""
    for step in todo:
        yield step
        if isinstance(step, steps.Disconnect):
            yield steps.Settle(SEEN)


def _of_pair(
    stage: Stage, paired: planned.Paired, *todo: steps.Step
) -> planned.Task:
    return planned.Task(planned.Key(stage, paired.port, paired.device), todo)


def _link(
    stage: Stage,
    paired: planned.Paired,
    found: planned.Found,
    wanted: planned.Wanted,
    carrier: Carrier = Carrier.STANDBY,
) -> planned.Task:
    """Return the task that lets this one carry."""
    key = planned.Key(stage, paired.port, paired.device)
    if paired.standby is None:
        return planned.Task(key)
    seen = found.links[paired.port]
    if isinstance(seen, errors.HostError):
        return planned.Task(key, cannot=seen)
    if seen.up is None and carrier in (Carrier.STANDBY, Carrier.SOON):
        missing = errors.HostError(
            f'there is no netdev {paired.standby.link} on this host'
        )
        return planned.Task(key, cannot=missing)
    todo = handover.plan(
        paired.standby,
        seen,
        handover.Wanted(carrier, found.has(paired.device), wanted.both),
    )
    return planned.Task(key, todo)


_TASKS: Mapping[
    Stage,
    Callable[
        [planned.Found, planned.Wanted, planned.Known], Iterator[planned.Task]
    ],
] = {
    Stage.RECORD: _record,
    Stage.SWITCH: _switch,
    Stage.HEAR: _hear,
    Stage.UNPLUG: _unplug,
    Stage.CARRY: _carry,
    Stage.PLUG: _plug,
    Stage.RETURN: _return,
    Stage.USE: _use,
    Stage.READY: _ready,
    Stage.OPEN: _open,
    Stage.BEGIN: _begin,
    Stage.SILENCE: _silence,
}
