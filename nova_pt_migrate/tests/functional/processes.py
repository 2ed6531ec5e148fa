# SPDX-License-Identifier: Apache-2.0
"""nova-computes in this process that can be killed, and what they call.

Each thread knows for which nova-compute it works, from the one that started
it. All that leaves a nova-compute is a *point*: a call to libvirt, a guest's
agent, the kernel, Neutron, Cinder or placement, a message, a whole
transaction of the database. A
process that was killed has no effect any more: each further point raises
:class:`testing.faults.Crash`, which nothing handles.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import inspect
import re
import threading
from typing import Any

import fixtures
from nova.db.main import api as database
from nova.scheduler.client import report
from nova.tests.fixtures import notifications
from nova.volume import cinder
from oslo_messaging import transport
from oslo_messaging._drivers import impl_fake
from oslo_messaging.notify import notifier

from nova_pt_migrate.testing import connection as connections
from nova_pt_migrate.tests.functional import apart
from nova_pt_migrate.tests.functional import bus
from nova_pt_migrate.tests.functional import lives
from nova_pt_migrate.tests.functional import points
from nova_pt_migrate.tests.functional import stops

HTTP = ('get', 'post', 'put', 'delete')


@dataclasses.dataclass(frozen=True)
class Point:
    """A call that leaves a nova-compute.

    :ivar kind: libvirt, agent, link, kernel, neutron, cinder, placement, rpc
        or db
    """

    host: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f'{self.host}:{self.kind}:{self.name}'


Meet = Callable[[Point, bool], None]


class Processes(fixtures.Fixture):
    """Made when the services of OpenStack are there, and no compute yet.

    :param get_neutron_client: what Nova's fixture has put in its place
    :ivar meet: called at each point of a living process, before it
        (``False``) and after it (``True``)
    :ivar messages: each is called with each message before it is sent
    :ivar bus: how long calls wait for one that is dead
    """

    def __init__(self, get_neutron_client: Callable[..., Any]) -> None:
        super().__init__()
        self.meet: Meet = lambda point, after: None
        self.messages: list[Callable[[dict[str, Any]], None]] = []
        self._get_neutron_client = get_neutron_client
        self._lives: dict[str, lives.Process] = {}
        self._all: list[lives.Process] = []

    def _setUp(self) -> None:
        self.useFixture(apart.Apart(lives.current))
        self.bus = self.useFixture(bus.Bus(lives.current))
        self.useFixture(lives.Lives())
        self.watch(database, points.transactions(), 'db')
        self._watch_messages()
        self.watch(
            report.SchedulerReportClient, HTTP, 'placement', points.path
        )
        self.watch(
            cinder.API,
            [n for n in vars(cinder.API) if not n.startswith('_')],
            'cinder',
        )
        self._patch('nova.network.neutron.get_client', self._neutron)
        calling = connections.Connection.calling
        this = self

        @contextlib.contextmanager
        def libvirt(connection: Any, name: str, *args: Any) -> Iterator[None]:
            with (
                this._point('libvirt', name),
                calling(connection, name, *args),
            ):
                yield

        self._patch_object(connections.Connection, 'calling', libvirt)
        self.useFixture(stops.Stops(lives.worker))
        self.addCleanup(self._bury)

    def _bury(self) -> None:
        """See to it that nothing of a process outlives its test."""
        left = [
            f'{thread.name} of {process.host}:\n{lives.stack_of(thread)}'
            for process in self._all
            for thread in process.bury()
        ]
        if left:
            raise RuntimeError('these have not ended:\n' + '\n'.join(left))

    @contextlib.contextmanager
    def starting(self, host: str) -> Iterator[None]:
        """What is started in the context is a new nova-compute."""
        self._lives[host] = lives.Process(host)
        self._all.append(self._lives[host])
        with self.within(host):
            yield

    @contextlib.contextmanager
    def within(self, host: str) -> Iterator[None]:
        """Work in the context for the host's nova-compute.

        :raises faults.Crash: it is dead
        """
        with self._lives[host].within():
            yield

    def is_alive(self, host: str) -> bool:
        return self._lives[host].alive

    def at_work(self, host: str) -> set[object]:
        """Return what the nova-compute has under way, threads and tasks."""
        return self._lives[host].at_work()

    def kill(self, host: str) -> None:
        """End the nova-compute, wherever its threads are."""
        self._lives[host].kill()

    def wait_until_still(self, host: str) -> None:
        """Wait until a dead one that killed itself has no effect any more."""
        self._lives[host].wait_until_still()

    def kill_at(
        self,
        host: str,
        kind: str,
        name: str,
        *,
        number: int = 1,
        after: bool = False,
    ) -> threading.Event:
        """Kill the nova-compute at a point of its own.

        :param name: a pattern of its whole name
        :param number: at which of the fitting points, from 1
        :returns: set when that has happened
        """
        killed = threading.Event()
        left = [number]

        def meet(point: Point, is_after: bool) -> None:
            if (
                (point.host, point.kind, is_after) == (host, kind, after)
                and re.fullmatch(name, point.name)
                and not killed.is_set()
            ):
                left[0] -= 1
                if not left[0]:
                    self.kill(host)
                    killed.set()

        self.meet = meet
        return killed

    @contextlib.contextmanager
    def _point(self, kind: str, name: str) -> Iterator[None]:
        """Surround a call; what serves it does not belong to the process."""
        process = lives.worker()
        if process is None:
            yield
            return
        point = Point(process.host, kind, name)
        process.check()
        self._meet(process, point, after=False)
        with process.effect(kind):
            yield
        process.check()
        self._meet(process, point, after=True)

    def _meet(self, process: lives.Process, point: Point, after: bool) -> None:
        self.meet(point, after)
        process.check()

    def _watch_messages(self) -> None:
        this = self
        send = transport.Transport._send
        reply = impl_fake.FakeIncomingMessage.reply

        def sending(
            bus: Any, target: Any, context: Any, message: Any, **more: Any
        ) -> Any:
            with this._point('rpc', message['method']):
                for watch in this.messages:
                    watch(message)
                return send(bus, target, context, message, **more)

        def replying(message: Any, *args: Any, **more: Any) -> None:
            check()
            reply(message, *args, **more)

        self._patch_object(transport.Transport, '_send', sending)
        for sender in (
            notifier.Notifier,
            notifications.FakeNotifier,
            notifications.FakeVersionedNotifier,
        ):
            self._patch_object(sender, '_notify', _checking(sender._notify))
        self._patch_object(impl_fake.FakeIncomingMessage, 'reply', replying)

    def watch(
        self,
        owner: Any,
        names: Any,
        kind: str,
        name_of: Callable[..., str] = lambda name, *args: name,
    ) -> None:
        """Make points of methods, or of what fixtures have in their place.

        :param name_of: gives the point's name by the method's and its
            arguments
        """

        def surround(name: str, method: Any) -> Any:
            def called(*args: Any, **kwargs: Any) -> Any:
                with self._point(kind, name_of(name, *args)):
                    return method(*args, **kwargs)

            return called

        for name in names:
            method = getattr(owner, name)
            called = surround(name, method)
            if inspect.isclass(owner) and (
                isinstance(vars(owner)[name], staticmethod)
                or not hasattr(method, '__get__')
            ):
                called = staticmethod(called)
            self._patch_object(owner, name, called)

    def _neutron(self, *args: Any, **kwargs: Any) -> Any:
        return points.Client(
            self._get_neutron_client(*args, **kwargs), self._point
        )

    def _patch(self, path: str, value: Any) -> None:
        self.useFixture(fixtures.MonkeyPatch(path, value))

    def _patch_object(self, owner: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MockPatchObject(owner, name, value))


def _checking(notify: Any) -> Any:
    def notifying(*args: Any, **more: Any) -> Any:
        check()
        return notify(*args, **more)

    return notifying


def check() -> None:
    """Die, if this is a thread of a nova-compute that is dead."""
    process = lives.current()
    if process:
        process.check()
