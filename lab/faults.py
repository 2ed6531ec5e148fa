# SPDX-License-Identifier: Apache-2.0
"""What every fault of the lab needs: hold, break, and see how it ends."""

import collections.abc
import dataclasses
import os
import time

from lab import facts
from lab import journey
from lab import machine
from lab import record
from lab import settings
from lab import shell
from lab import verdict

REACHED = 240.0  # seconds until a phase is reached, emulated
SETTLED = 420.0  # seconds until a server must be whole again
SLOW = 1  # MiB/s


@dataclasses.dataclass(frozen=True)
class End:
    """How a server may end.

    :ivar moved: on the destination; else it stayed
    :ivar migration: states of its migration
    """

    moved: bool
    migration: tuple[str, ...]

    def __str__(self) -> str:
        where = 'destination' if self.moved else 'source'
        return f'{where}, {"/".join(self.migration)}'


STAYED = End(False, ('failed',))
REFUSED = End(False, ('error',))
CANCELLED = End(False, ('cancelled',))
MOVED = End(True, ('completed',))


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a fault.

    :ivar end: the allowed end that was seen, if any
    :ivar checks: of that end, or of the first one allowed
    """

    name: str
    end: End | None
    allowed: tuple[End, ...]
    checks: tuple[record.Check, ...]
    seconds: float
    load: float

    def line(self) -> str:
        """Return one line for people."""
        wrong = [f'{c.what}: {c.seen}' for c in self.checks if not c.passed]
        return (
            f'{self.name}: {"passed" if self.end else "FAILED"}; '
            f'ended {self.end or "otherwise"}; allowed '
            f'{" or ".join(map(str, self.allowed))}; {self.seconds:.0f} s, '
            f'load {self.load:.1f}' + ''.join(f'\n    {w}' for w in wrong)
        )


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
        self.source = source
        self.destination = next(
            host for host in self.setup.hosts if host != source
        )
        self._lines = {
            host.name: int(
                self.on(host, f'grep -ac "" {facts.LOG} || true').strip()
            )
            for host in self.setup.hosts
        }

    def on(self, host: settings.Host, command: str) -> str:
        """Run a command in a host."""
        return machine.ssh(self.setup, host, command, timeout=300)

    def virsh(self, host: settings.Host, command: str) -> str:
        """Run a command of virsh on the server's domain."""
        return self.on(host, f'virsh -q {command} {self.server.uuid}')

    def cloud(self, command: str, *more: str) -> None:
        """Ask the cloud for something about the server."""
        facts.cloud(self.setup, command, self.server.uuid, *more)

    def start(self) -> None:
        """Ask for the live migration; does not wait for its end."""
        self.cloud('migrate', self.destination.name)

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
            f"do sleep 0.1; done'",
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

    def ended(
        self, name: str, allowed: tuple[End, ...], began: float
    ) -> Outcome:
        """Look until the server is whole in one of the ends allowed."""
        limit = time.monotonic() + SETTLED
        while True:
            found, _ = facts.collect(
                self.setup, self.server, self.way.answering()
            )
            judged = [(end, self._judge(found, end)) for end in allowed]
            good = [(e, c) for e, c in judged if all(x.passed for x in c)]
            if good or time.monotonic() > limit:
                end, checks = good[0] if good else (None, judged[0][1])
                return Outcome(
                    name, end, allowed, checks, time.time() - began,
                    os.getloadavg()[0],
                )  # fmt: skip
            time.sleep(2)

    def _judge(
        self, found: verdict.Facts, end: End
    ) -> tuple[record.Check, ...]:
        here, there = (
            (self.destination, self.source)
            if end.moved
            else (self.source, self.destination)
        )
        return verdict.judge(
            found, there.name, here.name, end.migration,
            seen_by_guest=not self.deaf,
        )  # fmt: skip


Inflict = collections.abc.Callable[[Case], None]


@dataclasses.dataclass(frozen=True)
class Fault:
    """Something that goes wrong on purpose.

    :ivar inflict: asks for the migration and breaks it; returns when the
        rest goes by itself
    """

    what: str
    inflict: Inflict
    allowed: tuple[End, ...]
    deaf: bool = False
    booting: bool = False


def host_of(setup: settings.Settings, server: facts.Server) -> settings.Host:
    """Return the host that a server is on."""
    seen = facts.cloud(setup, 'look', server.uuid)
    return setup.host(seen['host'])


def run(name: str, fault: Fault, way: journey.Journey) -> Outcome:
    """Inflict one fault on a server, and judge what came of it."""
    case = Case(way, host_of(way.setup, way.server), fault.deaf)
    began = time.time()
    journey.say(f'{name}: {fault.what}')
    try:
        fault.inflict(case)
    except shell.Failed as failure:
        journey.say(f'{name}: {failure}')
    outcome = case.ended(name, fault.allowed, began)
    journey.say(outcome.line())
    return outcome
