# SPDX-License-Identifier: Apache-2.0
"""What every fault of the lab needs: hold, break, and see how it ends."""

import collections.abc
import dataclasses
import os
import time
import typing

from lab import settings
from lab import shell
from lab.hosts import machine
from lab.judge import outcome
from lab.judge import record
from lab.judge import verdict
from lab.judge import windows
from lab.observe import facts
from lab.report import page
from lab.scenarios import journey

REACHED = 420.0  # seconds until a phase is reached, emulated
SETTLED = 420.0  # seconds until a server must be whole again
SLOW = 1  # MiB/s


class Case:
    """One server that something is about to go wrong with.

    :param deaf: its kernel releases no device until it is reset
    """

    def __init__(
        self, way: journey.Journey, source: settings.Host, deaf: bool
    ) -> None:
        self.way = way
        self.setup = way.setup
        self.server = way.server
        self.deaf = deaf
        self.checks: list[record.Check] = []
        self.source = source
        self.destination = self.setup.other(source.name)
        self._lines = {
            host.name: int(
                self.on(host, f'grep -ac "" {facts.LOG} || true').strip()
            )
            for host in self.setup.hosts
        }

    def on(self, host: settings.Host, command: str) -> str:
        """Run a command in a host."""
        return machine.ssh(self.setup, host, command, timeout=REACHED + 60)

    def virsh(self, host: settings.Host, command: str) -> str:
        """Run a command of virsh on the server's domain."""
        return self.on(host, f'virsh -q {command} --domain {self.server.uuid}')

    def cloud(self, command: str, *more: str) -> None:
        """Ask the cloud for something about the server."""
        facts.cloud(self.setup, command, self.server.uuid, *more)

    def start(self) -> None:
        """Ask for the live migration; does not wait for its end."""
        self.cloud('migrate', self.destination.name)

    def migration(self) -> str:
        """Return the state of its last migration."""
        seen = facts.cloud(self.setup, 'show', self.server.uuid)
        return facts.last(seen)

    def reached(
        self, host: settings.Host, phase: str, event: str = 'start'
    ) -> None:
        """Wait for a phase in a host's log since this case began."""
        words = (
            f'pt_migrate phase={phase} event={event} server={self.server.uuid}'
        )
        self.until(
            host,
            f'tail -n +{self._lines[host.name] + 1} {facts.LOG} '
            f'| grep -qa "{words}"',
        )

    def saw(self, host: settings.Host, phase: str) -> bool:
        """Tell whether a phase was begun since this case began."""
        found = self.on(
            host,
            f'tail -n +{self._lines[host.name] + 1} {facts.LOG} | grep -ac '
            f'"phase={phase} event=start server={self.server.uuid}" || true',
        )
        return int(found) > 0

    def until(self, host: settings.Host, condition: str) -> None:
        """Wait in the host itself, where looking costs nothing."""
        self.on(
            host,
            f"timeout {REACHED:.0f} sh -c 'until {condition}; "
            f"do sleep 0.5; done'",
        )

    def until_state(self, host: settings.Host, state: str) -> None:
        """Wait until libvirt of a host calls the domain so."""
        pattern = state.replace('(', '[(]').replace(')', '[)]')
        self.until(
            host,
            f'virsh -q domstate --reason {self.server.uuid} 2>/dev/null '
            f'| grep -q "^{pattern}"',
        )

    def copy_slowly(self) -> None:
        """Wait until libvirt copies, and hold it there."""
        self.reached(self.source, 'move')
        self.until(
            self.source,
            f'virsh -q migrate-setspeed {self.server.uuid} {SLOW} '
            f'&& virsh domjobinfo {self.server.uuid} '
            f'| grep -q "Memory remaining"',
        )

    def check(self, what: str, passed: bool, seen: str = '') -> None:
        """Add something that was seen on the way to the verdict."""
        self.checks.append(record.Check(what, passed, seen or str(passed)))

    def collect(self) -> tuple[verdict.Facts, dict[str, typing.Any]]:
        """Look everywhere."""
        return facts.collect(self.setup, self.server, self.way.answering())

    def degraded(self) -> None:
        """Check that it is on the destination, and only a VF is missing."""
        found, _ = self.collect()
        self.checks += outcome.judge(
            found, self.source.name, self.destination.name, outcome.MOVED,
            degraded=True,
        )  # fmt: skip

    def ended(
        self, allowed: tuple[outcome.End, ...]
    ) -> tuple[outcome.End | None, outcome.Checks, verdict.Facts,
               dict[str, typing.Any]]:  # fmt: skip
        """Look until the server is whole in one of the ends allowed."""
        limit = time.monotonic() + SETTLED
        while True:
            found, seen = self.collect()
            end, checks = outcome.best(
                found, self.source.name, self.destination.name, allowed,
                seen_by_guest=not self.deaf,
            )  # fmt: skip
            if end or time.monotonic() > limit:
                return end, checks, found, seen
            time.sleep(2)


Inflict = collections.abc.Callable[[Case], None]


@dataclasses.dataclass(frozen=True)
class Fault:
    """Something that goes wrong on purpose.

    :ivar inflict: asks for the migration and breaks it; returns when the
        rest goes by itself
    :ivar kind: of the server (:data:`lab.cloud.client.KINDS`)
    """

    what: str
    inflict: Inflict
    allowed: tuple[outcome.End, ...]
    deaf: bool = False
    booting: bool = False
    kind: str = 'plain'
    title: str = 'A fault'


def host_of(setup: settings.Settings, server: facts.Server) -> settings.Host:
    """Return the host that a server is on."""
    seen = facts.cloud(setup, 'show', server.uuid)
    return setup.host(seen['host'])


def run(name: str, fault: Fault, way: journey.Journey) -> outcome.Outcome:
    """Inflict one fault on a server, judge what came of it, and report it."""
    case = Case(way, host_of(way.setup, way.server), fault.deaf)
    before, _ = case.collect()
    load = os.getloadavg()[0]
    began = time.time()
    journey.say(f'{name}: {fault.what}')
    try:
        fault.inflict(case)
    except shell.Failed as failure:
        case.check('it went wrong as it was meant to', False, str(failure))
    end, checks, found, seen = case.ended(fault.allowed)
    ended = time.time()
    phases = facts.read_phases(way.setup, way.server, began - 1, ended + 5)
    samples = record.around(way.samples(), began, ended)
    move = record.Move(
        name=name,
        source=case.source.name,
        destination=case.destination.name,
        requested=began,
        finished=ended,
        before=verdict.place(before),
        after=verdict.place(found),
        phases=phases,
        windows=windows.by_phase(samples, phases),
        checks=(*case.checks, *checks),
        load=(load, os.getloadavg()[0]),
        events=journey.events(seen, began),
        samples=samples,
    )
    place = f'{found.status} on {found.host}, {found.migration_status}'
    came = outcome.Outcome(
        name, end, fault.allowed, place, move, tuple(case.checks)
    )
    journey.say(came.line())
    title = f'{fault.title}: {fault.what}'
    page.write(way.run(title, began, (move,)), way.folder)
    return came
