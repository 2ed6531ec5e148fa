# SPDX-License-Identifier: Apache-2.0
"""A server's way through the lab: boot, migrate under a probe, delete.

Every scenario is made of these steps.
"""

import collections.abc
import contextlib
import dataclasses
import os
import pathlib
import sys
import time
import typing

from lab import settings
from lab import shell
from lab.cloud import identity
from lab.hosts import accel
from lab.judge import record
from lab.judge import verdict
from lab.judge import windows
from lab.network import namespace
from lab.observe import facts
from lab.observe import probe

BOOT = 900.0  # seconds until a booting guest must answer, emulated
SETTLE = 180.0  # seconds after a migration until nothing may be left
STEADY = 20  # answers in a row after which a guest counts as reachable


@dataclasses.dataclass(frozen=True)
class Journey:
    """One server, the folder of its report and the probe's rate."""

    setup: settings.Settings
    folder: pathlib.Path
    server: facts.Server
    rate: int

    @property
    def pings(self) -> pathlib.Path:
        return self.folder / 'probe.jsonl'

    def samples(self) -> tuple[record.Sample, ...]:
        """Give what the probe has written until now."""
        if not self.pings.exists():
            return ()
        with self.pings.open() as lines:
            return probe.read(lines)

    def answering(self) -> bool:
        """Tell whether the last pings were answered."""
        # The answers to the very last ones may still be on their way.
        last = self.samples()[-STEADY - self.rate : -self.rate]
        return len(last) == STEADY and all(s.delay for s in last)

    def wait_for(
        self,
        what: str,
        check: collections.abc.Callable[[], bool],
        seconds: float,
        every: float = 0.5,
    ) -> None:
        """Wait until something is true of the server.

        :raises shell.Failed: naming the server, and what did not come
        """
        what = f'{what} of server {self.server.uuid}'
        shell.wait_for(what, check, seconds, every)

    def run(
        self,
        title: str,
        started: float,
        moves: collections.abc.Iterable[record.Move],
        notes: tuple[str, ...] = (),
    ) -> record.Run:
        """Put together what there is to report of the server."""
        return record.Run(
            title=title,
            started=started,
            server=self.server.uuid,
            devices=len(self.server.macs),
            rate=self.rate,
            machine=machine_said(self.setup),
            moves=tuple(moves),
            notes=notes,
        )


def say(text: str) -> None:
    """Tell the user what goes on, with the time of day."""
    print(f'[{time.strftime("%H:%M:%S")}] {text}', flush=True)


def machine_said(setup: settings.Settings) -> str:
    """Say on what the compute hosts run."""
    by_kvm = accel.arguments(setup) == accel.KVM
    kind = 'KVM' if by_kvm else 'emulated (TCG)'
    return f'compute hosts {kind} on {os.cpu_count()} processors'


def boot(
    setup: settings.Settings, name: str, host: str, devices: int, *how: str
) -> facts.Server:
    """Create a server with direct ports, and wait for it.

    :param how: its kind, and the name of its image, if not the usual ones
        (:data:`lab.cloud.client.KINDS`)
    """
    made = facts.cloud(setup, 'create', name, host, str(devices), *how)
    server = facts.Server(made['server'], made['address'], tuple(made['macs']))

    def active() -> bool:
        seen = facts.cloud(setup, 'show', server.uuid)
        if seen['status'] == 'ERROR':
            raise shell.Failed(
                f'Server {name} ({server.uuid}) could not be built on '
                f'{host}: {seen["fault"]}. See: python3 -m lab logs '
                f'{host}/nova-compute'
            )
        return bool(seen['status'] == 'ACTIVE')

    shell.wait_for(f'server {name} to become ACTIVE', active, BOOT, every=5)
    return server


@contextlib.contextmanager
def probing(journey: Journey) -> collections.abc.Iterator[None]:
    """Ping the server until the block ends."""
    argv = [sys.executable, '-m', 'lab.observe.probe']
    argv += ['--source', namespace.gateway(journey.server.address)]
    argv += ['--target', journey.server.address]
    argv += ['--rate', str(journey.rate), '--out', str(journey.pings)]
    shell.spawn(journey.setup, 'probe', shell.in_netns(journey.setup, argv))
    try:
        yield
    finally:
        shell.stop(journey.setup, 'probe')


def home(journey: Journey) -> verdict.Facts:
    """Wait until the guest answers and a VF is its active link."""
    found: list[verdict.Facts] = []

    def whole() -> bool:
        if not journey.answering():
            return False
        found[:] = [facts.collect(journey.setup, journey.server, True)[0]]
        return any(
            link.active and link.mac in journey.server.macs
            for link in found[0].hosts[found[0].host].links
        )

    journey.wait_for('an answer over the VF', whole, BOOT, every=3)
    return found[0]


def migrate(
    journey: Journey, name: str, before: verdict.Facts
) -> tuple[record.Move, verdict.Facts]:
    """Live-migrate to the other host and judge what came of it."""
    setup, server = journey.setup, journey.server
    source = before.host
    destination = setup.other(source).name
    say(f'{name}: live migration from {source} to {destination}')
    load = os.getloadavg()[0]
    requested = time.time()
    said = request(setup, server, destination)
    finished = time.time()
    say(f'{name}: the client is back after {finished - requested:.1f} s')
    after, seen = settle(journey, source, destination)
    settled = time.time() - finished
    phases = facts.read_phases(setup, server, requested - 1, finished + 5)
    time.sleep(record.MARGIN)  # pings to draw after it
    samples = record.around(journey.samples(), requested, finished + settled)
    move = record.Move(
        name=name,
        source=source,
        destination=destination,
        requested=requested,
        finished=finished,
        before=verdict.place(before),
        after=verdict.place(after),
        phases=phases,
        windows=windows.by_phase(samples, phases),
        checks=verdict.judge(after, source, destination),
        load=(load, os.getloadavg()[0]),
        settled=settled,
        said=said,
        events=events(seen, requested),
        samples=samples,
    )
    return move, after


def events(
    seen: dict[str, typing.Any], requested: float
) -> tuple[record.Event, ...]:
    """Give Nova's events of the live migration that was just requested."""
    since = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(requested))
    return tuple(
        record.Event(**event)
        for event in sorted(seen['events'], key=lambda e: e['start_time'])
        if event['action'] == 'live-migration' and event['start_time'] >= since
    )


def request(
    setup: settings.Settings, server: facts.Server, destination: str
) -> str:
    """Ask for a live migration as an operator does, and wait for its end."""
    words = ('server', 'migrate', '--live-migration', '--wait')
    argv = identity.client(
        setup, 'openstack', *words, '--host', destination, server.uuid
    )
    try:
        return shell.run(argv, timeout=1800).strip()
    except shell.Failed as failure:
        return str(failure)


def delete(setup: settings.Settings, uuid: str) -> None:
    """Delete a server and its ports."""
    facts.cloud(setup, 'delete', uuid)


def given_up(found: verdict.Facts) -> bool:
    """Tell whether Nova has ended a migration without success."""
    failed = found.migration_status in ('error', 'failed', 'cancelled')
    return failed and found.task_state is None


def settle(
    journey: Journey, source: str, destination: str
) -> tuple[verdict.Facts, dict[str, typing.Any]]:
    """Look until the verdict is good, at most as long as it may take."""
    end = time.monotonic() + SETTLE
    while True:
        found, seen = facts.collect(
            journey.setup, journey.server, journey.answering()
        )
        checks = verdict.judge(found, source, destination)
        good = all(check.passed for check in checks)
        if good or given_up(found) or time.monotonic() > end:
            return found, seen
        time.sleep(2)
