# SPDX-License-Identifier: Apache-2.0
"""The ways to live-migrate a server with a VF that the lab compares.

Each boots one server, migrates it as often as it is told, and takes it away.
"""

import collections.abc
import contextlib
import os
import time
import typing

from lab import settings
from lab import shell
from lab.hosts import config
from lab.hosts import provision
from lab.judge import record
from lab.judge import verdict
from lab.observe import facts
from lab.scenarios import journey
from lab.scenarios import qemu_failover

WHOLE_SECONDS = 300.0
STOCK = {'stock': 'plain', 'alone': 'none'}
"""The ways with Nova's own driver, and the kind of their servers."""


class Contender(typing.Protocol):
    """A server and how it is migrated.

    :ivar server: addresses of the server that runs
    """

    server: facts.Server

    def home(self, way: journey.Journey) -> str:
        """Wait until it answers over its VF, and return its host's name."""

    def migrate(
        self, way: journey.Journey, name: str, destination: str
    ) -> record.Move:
        """Migrate it, and wait until it answers over its VF again."""

    def delete(self) -> None:
        """Delete it."""


class Ours:
    """A server that this driver migrates, with a whole verdict."""

    def __init__(self, setup: settings.Settings, name: str, kind: str) -> None:
        self._setup = setup
        first = setup.hosts[0].name
        self.server = journey.boot(setup, name, first, 1, kind)
        self._facts: verdict.Facts | None = None

    def home(self, way: journey.Journey) -> str:
        self._facts = journey.home(way)
        return self._facts.host

    def migrate(
        self, way: journey.Journey, name: str, destination: str
    ) -> record.Move:
        assert self._facts is not None
        move, self._facts = journey.migrate(way, name, self._facts)
        return move

    def delete(self) -> None:
        journey.delete(self._setup, self.server.uuid)


class Stock:
    """A server that Nova's own driver migrates."""

    def __init__(self, setup: settings.Settings, name: str, kind: str) -> None:
        self._setup = setup
        first = setup.hosts[0].name
        self.server = journey.boot(setup, name, first, 1, kind)
        self._host = ''

    def home(self, way: journey.Journey) -> str:
        self._host = journey.home(way).host
        return self._host

    def migrate(
        self, way: journey.Journey, name: str, destination: str
    ) -> record.Move:
        move = timed(
            way, name, self._host, destination,
            lambda: journey.request(self._setup, self.server, destination),
        )  # fmt: skip
        self._host = destination
        return move

    def delete(self) -> None:
        journey.delete(self._setup, self.server.uuid)


class Automatic:
    """A domain without Nova, whose VF QEMU itself unplugs and plugs."""

    def __init__(self, setup: settings.Settings) -> None:
        self._setup = setup
        self._host = setup.hosts[0]
        self.server = qemu_failover.boot(setup, self._host)

    def home(self, way: journey.Journey) -> str:
        way.wait_for(
            'an answer over the VF',
            lambda: _whole(way, self._host.name),
            journey.BOOT,
            every=3,
        )
        return self._host.name

    def migrate(
        self, way: journey.Journey, name: str, destination: str
    ) -> record.Move:
        there = self._setup.host(destination)
        move = timed(
            way, name, self._host.name, destination,
            lambda: qemu_failover.migrate(self._setup, self._host, there),
        )  # fmt: skip
        self._host = there
        return move

    def delete(self) -> None:
        qemu_failover.destroy(self._setup, self._host)


@contextlib.contextmanager
def with_driver(
    setup: settings.Settings, driver: str
) -> collections.abc.Iterator[None]:
    """Let the hosts run another compute driver until the block ends."""
    provision.configure(setup, driver)
    try:
        yield
    finally:
        provision.configure(setup)


@contextlib.contextmanager
def without_nova(
    setup: settings.Settings,
) -> collections.abc.Iterator[None]:
    """Stop nova-compute in all hosts until the block ends."""
    provision.stop_compute(setup)
    try:
        yield
    finally:
        provision.restart_compute(setup)


@contextlib.contextmanager
def running(
    setup: settings.Settings, name: str, kind: str
) -> collections.abc.Iterator[Contender]:
    """Boot a server of a kind; what was changed for it is put back.

    A server is left to be looked at if the block raises.
    """
    contender: Contender
    if kind in STOCK:
        with with_driver(setup, config.STOCK):
            contender = Stock(setup, name, STOCK[kind])
            yield contender
            contender.delete()
    elif kind == 'qemu':
        with without_nova(setup):
            contender = Automatic(setup)
            yield contender
            contender.delete()
    else:
        contender = Ours(setup, name, kind)
        yield contender
        contender.delete()


def timed(
    way: journey.Journey,
    name: str,
    source: str,
    destination: str,
    ask: collections.abc.Callable[[], str],
) -> record.Move:
    """Migrate in some way until the guest answers over a VF there.

    :param ask: asks for it, returns when it has ended, and says how
    """
    journey.say(f'{name}: live migration from {source} to {destination}')
    load = os.getloadavg()[0]
    requested = time.time()
    said = ask()
    finished = time.time()
    journey.say(f'{name}: over after {finished - requested:.1f} s')
    with contextlib.suppress(shell.Failed):
        way.wait_for(
            f'an answer over a VF of {destination}',
            lambda: _whole(way, destination),
            WHOLE_SECONDS,
            every=2,
        )
    settled = time.time() - finished
    time.sleep(record.MARGIN)
    whole = _whole(way, destination)
    check = record.Check(
        f'the guest answers over a VF of {destination}',
        whole,
        'it does' if whole else said.splitlines()[-1] if said else 'no',
    )
    nowhere = record.Place('', (), (), ())
    return record.Move(
        name=name,
        source=source,
        destination=destination,
        requested=requested,
        finished=finished,
        before=nowhere,
        after=nowhere,
        phases=(),
        windows=(),
        checks=(check,),
        load=(load, os.getloadavg()[0]),
        settled=settled,
        said=said,
        samples=record.around(way.samples(), requested, finished + settled),
    )


def _whole(way: journey.Journey, name: str) -> bool:
    """Tell whether a guest on a host answers, and over a VF."""
    if not way.answering():
        return False
    seen = facts.observe(way.setup, way.setup.host(name), way.server)
    return any(
        link.active
        and link.mac in way.server.macs
        and link.driver not in verdict.ORDINARY
        for link in seen.links
    )
