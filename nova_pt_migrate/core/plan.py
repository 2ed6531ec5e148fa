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
from typing import NamedTuple

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import model
from nova_pt_migrate.core import order
from nova_pt_migrate.core import steps

Carrier = handover.Carrier
Place = order.Place
Stage = order.Stage
Seen = handover.Found | errors.HostError


@dataclasses.dataclass(frozen=True, slots=True)
class Paired:
    """A pass-through port with a standby, as far as this host goes.

    :ivar device: host PCI address
    :ivar standby: the host's side of one of ours; None for a second port
    :ivar bond: the guest has a bond, which is told what to use
    :ivar required: the server stays where its standby does not carry
    """

    port: str
    device: str
    standby: handover.Standby | None
    bond: bool
    required: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What should be.

    :ivar devices: that this driver owns
    :ivar pairs: those of them that have a standby
    :ivar both: NICs give frames to a PF and to a VF with the same address
    :ivar seen: links as they were seen before, for what must not wait for a
        look; by port
    """

    place: Place
    devices: tuple[model.Device, ...] = ()
    pairs: tuple[Paired, ...] = ()
    both: bool = False
    seen: Mapping[str, Seen] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    :ivar domain: None where it has not been looked at
    :ivar links: by port; why one could not be seen
    """

    domain: model.Found | None = None
    links: Mapping[str, Seen] = dataclasses.field(default_factory=dict)

    def has(self, device: str) -> bool:
        """Tell whether a device is in the live domain."""
        return self.domain is not None and device in self.domain.live


class Key(NamedTuple):
    """What is done once in an operation."""

    stage: Stage
    port: str
    device: str


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """The steps of one stage for one port, in order.

    :ivar cannot: why they cannot be done, instead of them
    :ivar ends: nothing more is done where they fail
    """

    key: Key
    todo: tuple[steps.Step, ...] = ()
    cannot: errors.HostError | None = None
    ends: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What an operation has come to so far, beside what is found.

    :ivar ended: tasks that were done, or have failed
    :ivar carriers: who is to carry a pair whose use was waited for, by device
    """

    ended: frozenset[Key] = frozenset()
    carriers: Mapping[str, Carrier] = dataclasses.field(default_factory=dict)


NOTHING = Known()


def plan(
    found: Found, wanted: Wanted, known: Known = NOTHING
) -> tuple[Task, ...]:
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


def _record(found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
    assert found.domain is not None
    for device in wanted.devices:
        live = found.domain.live.get(device.address)
        if live and device.address not in found.domain.persistent:
            yield _of_device(Stage.RECORD, steps.Keep(device, live.xml))


def _unplug(found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
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


def _plug(found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
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
) -> Task:
    return Task(Key(stage, step.device.port, step.device.address), (step,))


def _switch(found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        if found.has(paired.device):
            told = (steps.Favour(paired.port),) if paired.bond else ()
            task = _link(Stage.SWITCH, paired, found, wanted, told)
            yield dataclasses.replace(task, ends=paired.required)


def _hear(found: Found, wanted: Wanted, known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        key = Key(Stage.SWITCH, paired.port, paired.device)
        if paired.standby is None and key in known.ended:
            yield _of_pair(Stage.HEAR, paired, steps.Hear(paired.port))


def _carry(found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        if not found.has(paired.device):
            yield _link(Stage.CARRY, paired, found, wanted)


def _use(found: Found, wanted: Wanted, known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        key = Key(Stage.USE, paired.port, paired.device)
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


def _return(found: Found, wanted: Wanted, known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        carrier = known.carriers.get(paired.device)
        if carrier and found.has(paired.device):
            yield _link(Stage.RETURN, paired, found, wanted, (), carrier)


def _ready(found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        if paired.standby:
            yield _link(Stage.READY, paired, found, wanted, (), Carrier.SOON)


def _begin(_found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        if paired.standby:
            seen = wanted.seen.get(paired.port)
            known = seen if isinstance(seen, handover.Found) else None
            todo = handover.at_once(paired.standby, known, wanted.both)
            yield _of_pair(Stage.BEGIN, paired, *todo)


def _silence(found: Found, wanted: Wanted, _known: Known) -> Iterator[Task]:
    for paired in wanted.pairs:
        yield _link(Stage.SILENCE, paired, found, wanted, (), Carrier.NOBODY)


def _of_pair(stage: Stage, paired: Paired, *todo: steps.Step) -> Task:
    return Task(Key(stage, paired.port, paired.device), todo)


def _link(
    stage: Stage,
    paired: Paired,
    found: Found,
    wanted: Wanted,
    more: tuple[steps.Step, ...] = (),
    carrier: Carrier = Carrier.STANDBY,
) -> Task:
    """Return the task that lets this one carry, and then does more."""
    key = Key(stage, paired.port, paired.device)
    if paired.standby is None:
        return Task(key, more)
    seen = found.links[paired.port]
    if isinstance(seen, errors.HostError):
        return Task(key, cannot=seen)
    if seen.up is None and carrier in (Carrier.STANDBY, Carrier.SOON):
        missing = errors.HostError(
            f'there is no netdev {paired.standby.link} on this host'
        )
        return Task(key, cannot=missing)
    todo = handover.plan(
        paired.standby,
        seen,
        handover.Wanted(carrier, found.has(paired.device), wanted.both),
    )
    return Task(key, todo + more)


_TASKS: Mapping[Stage, Callable[[Found, Wanted, Known], Iterator[Task]]] = {
    Stage.RECORD: _record,
    Stage.SWITCH: _switch,
    Stage.HEAR: _hear,
    Stage.UNPLUG: _unplug,
    Stage.CARRY: _carry,
    Stage.PLUG: _plug,
    Stage.RETURN: _return,
    Stage.USE: _use,
    Stage.READY: _ready,
    Stage.BEGIN: _begin,
    Stage.SILENCE: _silence,
}
