# SPDX-License-Identifier: Apache-2.0
"""One host with one server, all of whose calls may fail or be the last."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import enum
from typing import Any
from typing import cast

from nova_pt_migrate.core import act
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import steps
from nova_pt_migrate.core import waits
from nova_pt_migrate.tests.unit.core import fakes


class Crash(Exception):
    """The process has died."""


class Fault(enum.Enum):
    """What becomes of a call."""

    NONE = 'none'
    BEFORE = 'it fails before its effect'
    AFTER = 'it fails after its effect'
    DIES = 'the process dies before its effect'
    DIES_AFTER = 'the process dies after its effect'


class World:
    """A host; what is done to it is checked at each change of a link.

    :param count: of devices, each with a standby
    :param filters: whether a PF has to take the frames of each standby
    :param runs: the guest's CPUs run here
    :param early: the standbys are taps on a switch
    :param both: the NIC gives frames to the PF and to a VF
    :ivar live: numbers of the devices in the live domain
    :ivar persistent: of those in the persistent XML
    :ivar up: of those whose standby is on
    :ivar filtered: of those whose address is in the filter of the PF
    :ivar stale: of those whose VF has the address, and no guest
    :ivar used: of those that the guest has a driver for
    :ivar keeps: of those that the guest does not release
    :ivar linked: of those on whose standby the guest sees a link
    :ivar faults: what becomes of the next calls
    :ivar changes: how many there were
    :ivar due: it has stopped elsewhere, where nobody takes its frames
    :ivar whole: the domain is looked at, and its guest runs
    """

    def __init__(
        self,
        count: int,
        filters: bool,
        runs: bool,
        both: bool,
        early: bool = True,
    ) -> None:
        self.count = count
        self.filters = filters
        self.runs = runs
        self.both = both
        self.early = early
        self.now = 0.0
        self.live: set[int] = set()
        self.persistent: set[int] = set()
        self.up: set[int] = set()
        self.filtered: set[int] = set()
        self.stale: set[int] = set()
        self.used = set(range(count))
        self.keeps: set[int] = set()
        self.linked: set[int] = set()
        self.faults: list[Fault] = []
        self.changes = 0
        self.due = False
        self.whole = False
        self.wrong: list[str] = []
        self._events: list[interfaces.DeviceEvent] = []

    def pairs(self) -> tuple[planned.Paired, ...]:
        return tuple(
            planned.Paired(
                f'port-{n}',
                fakes.device(n).address,
                handover.Standby(
                    f'pts{n}',
                    f'mac-{n}',
                    'pf0' if self.filters else None,
                    'x',
                    early=self.early,
                ),
                bond=True,
                required=True,
            )
            for n in range(self.count)
        )

    def hands(self, whole: bool) -> act.Hands:
        """Return what acts; on the links alone unless it is ``whole``."""
        time = waits.Time(lambda: self.now, self.pause)
        me = cast(Any, self)
        self.whole = whole and self.runs
        if not whole:
            return act.Hands(me, time=time)
        return act.Hands(me, me, me, me, time, unplug=3.0, retry=1.0)

    def ways(self, number: int) -> set[str]:
        """Return by what frames for a pair get into this host's guest."""
        open_ways = set()
        if number in self.live and number in self.used:
            open_ways.add('device')
        # Nobody reads what a switch floods to a tap while the guest waits.
        floods = self.early and not self.runs
        if number in self.up and (
            number in self.filtered or not (self.filters or floods)
        ):
            open_ways.add('standby')
        return open_ways

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def _call(self, effect: Callable[[], None]) -> None:
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.DIES:
            raise Crash
        if fault is Fault.BEFORE:
            raise errors.HostError('it failed')
        effect()
        if fault is Fault.DIES_AFTER:
            raise Crash
        if fault is Fault.AFTER:
            raise errors.HostError('it failed, and was done')

    # core.interfaces.Domain

    def observe(self, *words: object) -> object:
        """Look at the domain, or at the links of a pair."""
        if words:
            return self._observe_links(*words)
        found: list[model.Found] = []

        def look() -> None:
            found.append(
                model.Found(
                    self.runs,
                    1.0,
                    {fakes.device(n).address: _found(n) for n in self.live},
                    {
                        fakes.device(n).address: _found(n)
                        for n in self.persistent
                    },
                    {f'pts{n}': f'mac-{n}' for n in range(self.count)},
                    frozenset(
                        f'pts{n}'
                        for n in range(self.count)
                        if n not in self.linked
                    ),
                )
            )

        self._call(look)
        return found[0]

    @contextlib.contextmanager
    def watch(self) -> Iterator['World']:
        yield self

    def wait(self, seconds: float) -> list[interfaces.DeviceEvent]:
        self.now += max(seconds, 0.1)
        events, self._events = self._events, []
        return events

    def request_unplug(self, alias: str) -> None:
        number = int(alias.removeprefix('hostdev'))

        def leave() -> None:
            if number not in self.keeps and number in self.live:
                self.live.remove(number)
                self.stale.add(number)
                self.changes += 1
                self._events.append(interfaces.DeviceEvent(alias, True))

        self._call(leave)

    def plug(self, xml: str, persist: bool, seconds: float) -> None:
        number = int(xml.split('"')[1])

        def come() -> None:
            self.live.add(number)
            self.stale.discard(number)
            self.changes += 1
            if persist:
                self.persistent.add(number)

        self._call(come)

    def keep(self, xml: str) -> None:
        def keep() -> None:
            self.persistent.add(int(xml.split('"')[1]))
            self.changes += 1

        self._call(keep)

    def set_link(self, target: str, up: bool) -> None:
        def change() -> None:
            self.changes += up is not (_number(target) in self.linked)
            if up:
                self.linked.add(_number(target))
                if _number(target) not in self.up:
                    self.wrong.append(f'the guest is sent to {target}')
            else:
                self.linked.discard(_number(target))

        self._call(change)

    # core.interfaces.Links

    def _observe_links(self, *words: object) -> handover.Found:
        standby, gone = words
        assert isinstance(standby, handover.Standby)
        number = int(standby.link.removeprefix('pts'))
        self._call(lambda: None)
        return handover.Found(
            number in self.up,
            number in self.filtered,
            7 if gone is not None and number in self.stale else None,
        )

    def is_used(self, device: str) -> bool:
        self._call(lambda: None)
        return int(device[-1]) in self.used

    def run(self, step: steps.LinkStep) -> None:
        self._call(lambda: self._run(step))

    def _run(self, step: steps.LinkStep) -> None:
        before = [self.ways(n) for n in range(self.count)]
        was = self._state()
        match step:
            case steps.LinkUp(link):
                self.up.add(_number(link))
            case steps.LinkDown(link):
                self.up.discard(_number(link))
                if self.whole and _number(link) in self.linked:
                    self.wrong.append(f'the guest stays on {link}')
            case steps.AddFilter(_, mac):
                self.filtered.add(_number(mac))
            case steps.RemoveFilter(_, mac):
                self.filtered.discard(_number(mac))
            case steps.ClearVf():
                self.stale.clear()
        self.changes += was != self._state()
        self._check(step, before)

    def _check(self, step: steps.LinkStep, before: list[set[str]]) -> None:
        for number, ways in enumerate(before):
            now = self.ways(number)
            if self.runs and ways and not now:
                self.wrong.append(f'{step} has closed the last way')
            if not self.runs and not self.due and now - ways:
                self.wrong.append(f'{step} has opened a way')

    def _state(self) -> tuple[frozenset[int], ...]:
        return tuple(map(frozenset, (self.up, self.filtered, self.stale)))

    # core.interfaces.Guest and Wiring

    def favour(self, port: str) -> bool:
        self._call(lambda: None)
        return True

    def is_heard(self, port: str) -> bool:
        return True

    def uses(self, port: str, join: bool) -> bool:
        self._call(lambda: None)
        return True

    def connect(self, device: model.Device) -> None:
        self._call(lambda: None)

    def disconnect(self, device: model.Device) -> None:
        pass


def _number(name: str) -> int:
    return int(name[-1])


def _found(number: int) -> model.FoundDevice:
    return fakes.found_device(number)
