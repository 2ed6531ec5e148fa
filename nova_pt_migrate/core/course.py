# SPDX-License-Identifier: Apache-2.0
"""One operation on one server on this host: observe, plan, act, and again."""

from collections.abc import Mapping
import dataclasses

from nova_pt_migrate.core import act
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import model
from nova_pt_migrate.core import order
from nova_pt_migrate.core import plan
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import steps

Stage = order.Stage
MOVES = (Stage.UNPLUG, Stage.PLUG, Stage.BEGIN)
"""After these the links are looked at anew."""
ALWAYS = {
    Stage.SILENCE: handover.Carrier.NOBODY,
    Stage.READY: handover.Carrier.SOON,
}
"""Who carries in stages that leave no choice."""
Failures = dict[planned.Key, reasons.Failure]


class Course:
    """What is done for a server until it is where it should be.

    The links are looked at before anything is done, unless they were seen just
    before, and when devices have moved; of all else what was done is known.

    :param domain: as it was found just now; None where it is not looked at
    :ivar found: what is there now, as far as is known
    :ivar released: libvirt's names of the devices that have left
    :ivar unfit: devices instead of which others may be tried
    """

    def __init__(
        self,
        wanted: planned.Wanted,
        hands: act.Hands,
        domain: model.Found | None = None,
    ) -> None:
        self._wanted = wanted
        self._hands = hands
        self._known = planned.Known()
        self.found = planned.Found(
            domain,
            {port: _of_host(each) for port, each in wanted.seen.items()},
        )
        self.released: list[str] = []
        self.unfit: frozenset[str] = frozenset()
        # A guest that begins to run is deaf until its standby is on.
        if wanted.place is not order.Place.ARRIVING and not wanted.seen:
            self._look_at_links()

    def run(self, *stages: Stage) -> Failures:
        """Do what comes next, as long as it is of these stages.

        :param stages: all if there are none
        :raises errors.NotOurTurn: an operation has taken over
        :raises errors.HostError: libvirt names a device in no way
        :returns: why tasks were not done; they are not tried again
        """
        failures: Failures = {}
        while tasks := plan.plan(self.found, self._wanted, self._known):
            if stages and tasks[0].key.stage not in stages:
                break
            outcome = act.run(tasks, self._hands)
            failures.update(outcome.failures)
            self._learn(tasks, outcome)
            if any(
                task.ends and task.key in outcome.failures for task in tasks
            ):
                break
        return failures

    def exchange(self, old: str, new: model.Device, kept: str | None) -> None:
        """A port has another device now.

        :param old: host PCI address of the one that it had
        :param kept: the element that the persistent XML has of the new one
        """
        self._wanted = dataclasses.replace(
            self._wanted,
            devices=tuple(
                new if device.address == old else device
                for device in self._wanted.devices
            ),
            pairs=tuple(
                dataclasses.replace(paired, device=new.address)
                if paired.device == old
                else paired
                for paired in self._wanted.pairs
            ),
        )
        domain = self.found.domain
        assert domain is not None
        persistent = {
            address: device
            for address, device in domain.persistent.items()
            if address != old
        }
        if kept is not None:
            persistent[new.address] = model.FoundDevice(new.address, kept)
        domain = dataclasses.replace(domain, persistent=persistent)
        self.found = planned.Found(domain, self.found.links)
        self._look_at_links()

    @property
    def is_active(self) -> bool:
        """True if the guest is here, running or paused."""
        return self.found.domain is not None and self.found.domain.active

    def devices(self, there: bool) -> list[str]:
        """Return the host PCI addresses of devices.

        :param there: those in the live domain, or all others
        """
        return [
            device.address
            for device in self._wanted.devices
            if self.found.has(device.address) is there
        ]

    def carrier(self, key: planned.Key) -> handover.Carrier:
        """Return who was to carry a pair in a stage that switches links."""
        if key.stage in ALWAYS:
            return ALWAYS[key.stage]
        return self._known.carriers.get(key.device, handover.Carrier.STANDBY)

    @property
    def is_carried(self) -> bool:
        """True if each pair's device is in the guest, which sends by it."""
        carriers = self._known.carriers
        return all(
            self.found.has(paired.device)
            and carriers.get(paired.device) is handover.Carrier.PRIMARY
            for paired in self._wanted.pairs
        )

    def _learn(
        self, tasks: tuple[planned.Task, ...], outcome: act.Outcome
    ) -> None:
        reported = {task.key for task in outcome.done} | {*outcome.failures}
        self._known = planned.Known(
            self._known.ended | reported,
            {**self._known.carriers, **outcome.carriers},
            self._known.sure | outcome.sure,
        )
        self.found = after(self.found, outcome.done)
        self.unfit |= outcome.unfit
        self.released += [
            step.alias
            for task in outcome.done
            for step in task.todo
            if isinstance(step, steps.Unplug)
        ]
        if tasks[0].key.stage in MOVES:
            self._look_at_links()

    def _look_at_links(self) -> None:
        seen: dict[str, planned.Seen] = {}
        for paired in self._wanted.pairs:
            if paired.standby is None:
                continue
            gone = None if self.found.has(paired.device) else paired.device
            try:
                links = self._hands.links.observe(paired.standby, gone)
                seen[paired.port] = dataclasses.replace(
                    links, linked=self._is_linked(paired.standby.link)
                )
            except errors.HostError as exc:
                seen[paired.port] = exc
        self.found = planned.Found(self.found.domain, seen)

    def _is_linked(self, link: str) -> bool | None:
        domain = self.found.domain
        if domain is None or link not in domain.targets:
            return None
        return link not in domain.unlinked


def _of_host(seen: planned.Seen) -> planned.Seen:
    """Return what the host alone shows; the guest may be elsewhere by now."""
    if isinstance(seen, handover.Found):
        return dataclasses.replace(seen, linked=None)
    return seen


def after(
    found: planned.Found, done: tuple[planned.Task, ...]
) -> planned.Found:
    """Return what is there when these tasks were done.

    What the VF of a device shows that came or went is not known so.
    """
    links = dict(found.links)
    domain = found.domain
    for task in done:
        seen = links.get(task.key.port)
        if isinstance(seen, handover.Found):
            links[task.key.port] = handover.after(seen, task.todo)
        for step in task.todo:
            if domain is not None:
                domain = _with(domain, step)
    return planned.Found(domain, links)


def _with(domain: model.Found, step: steps.Step) -> model.Found:
    """Return a domain in which a step was done, whatever it was."""
    if isinstance(step, steps.Connect):
        unlinked = domain.unlinked - {step.link}
        return dataclasses.replace(domain, unlinked=unlinked)
    if isinstance(step, steps.Disconnect):
        unlinked = domain.unlinked | {step.link}
        return dataclasses.replace(domain, unlinked=unlinked)
    live: Mapping[str, model.FoundDevice] = domain.live
    persistent: Mapping[str, model.FoundDevice] = domain.persistent
    if not isinstance(step, steps.Keep | steps.Unplug | steps.Plug):
        return domain
    device = model.FoundDevice(step.device.address, step.device.xml)
    match step:
        case steps.Keep():
            persistent = {**persistent, device.address: live[device.address]}
        case steps.Unplug():
            live = {
                address: other
                for address, other in live.items()
                if address != device.address
            }
        case steps.Plug(_, xml, persist):
            device = dataclasses.replace(device, xml=xml)
            live = {**live, device.address: device}
            if persist:
                persistent = {**persistent, device.address: device}
    return dataclasses.replace(domain, live=live, persistent=persistent)
