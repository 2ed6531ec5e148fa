# SPDX-License-Identifier: Apache-2.0
"""nova-computes in this process that can be killed, and what they call.

Each thread knows for which nova-compute it works, from the one that started
it. All that leaves a nova-compute is a *point*: a call to libvirt, Neutron,
Cinder or placement, a message, a statement or commit of the database. A
process that was killed has no effect any more: each further point raises
:class:`testing.faults.Crash`, which nothing handles.
"""

from collections.abc import Callable
from collections.abc import Iterator
import concurrent.futures
import contextlib
import contextvars
import dataclasses
import re
import threading
from typing import Any

import fixtures
import futurist
from nova.scheduler.client import report
from nova.volume import cinder
from oslo_messaging import transport
from oslo_messaging._drivers import impl_fake
import sqlalchemy

from nova_pt_migrate.testing import connection as connections
from nova_pt_migrate.testing import faults

HTTP = ('get', 'post', 'put', 'delete')


@dataclasses.dataclass
class Process:
    """One life of a nova-compute."""

    host: str
    alive: bool = True

    def check(self) -> None:
        if not self.alive:
            raise faults.Crash(f'nova-compute of {self.host} is dead')


@dataclasses.dataclass(frozen=True)
class Point:
    """A call that leaves a nova-compute.

    :ivar kind: libvirt, neutron, cinder, placement, rpc or db
    """

    host: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f'{self.host}:{self.kind}:{self.name}'


Meet = Callable[[Point, bool], None]
_current: contextvars.ContextVar[Process | None] = contextvars.ContextVar(
    'nova-compute', default=None
)


class Processes(fixtures.Fixture):
    """Made when the services of OpenStack are there, and no compute yet.

    :param get_neutron_client: what Nova's fixture has put in its place
    :ivar meet: called at each point of a living process, before it
        (``False``) and after it (``True``)
    :ivar messages: each is called with each message before it is sent
    """

    def __init__(self, get_neutron_client: Callable[..., Any]) -> None:
        super().__init__()
        self.meet: Meet = lambda point, after: None
        self.messages: list[Callable[[dict[str, Any]], None]] = []
        self._get_neutron_client = get_neutron_client
        self._alive: dict[str, Process] = {}

    def _setUp(self) -> None:
        self._follow_threads()
        self._watch_database()
        self._watch_messages()
        self._watch(report.SchedulerReportClient, HTTP, 'placement', _path)
        self._watch(
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

    @contextlib.contextmanager
    def starting(self, host: str) -> Iterator[None]:
        """What is started in the context is a new nova-compute."""
        process = self._alive[host] = Process(host)
        token = _current.set(process)
        try:
            yield
        finally:
            _current.reset(token)

    def kill(self, host: str) -> None:
        """End the nova-compute, wherever its threads are."""
        self._alive[host].alive = False

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
        process = _current.get()
        if process is None:
            yield
            return
        point = Point(process.host, kind, name)
        process.check()
        self._meet(process, point, after=False)
        token = _current.set(None)
        try:
            yield
        finally:
            _current.reset(token)
        process.check()
        self._meet(process, point, after=True)

    def _meet(self, process: Process, point: Point, after: bool) -> None:
        self.meet(point, after)
        process.check()

    def _follow_threads(self) -> None:
        start = threading.Thread.start

        def started(thread: threading.Thread) -> None:
            if _current.get():
                run = thread.run
                context = contextvars.copy_context()
                thread.run = lambda: context.run(run)  # type: ignore[method-assign]
            start(thread)

        self._patch_object(threading.Thread, 'start', started)
        for pool in (
            concurrent.futures.ThreadPoolExecutor,
            futurist.ThreadPoolExecutor,
        ):
            self._patch_object(pool, 'submit', _submitting(pool.submit))
        tell = threading.excepthook

        def told(args: Any) -> None:
            if args.exc_type is not faults.Crash:
                tell(args)

        self._patch_object(threading, 'excepthook', told)

    def _watch_database(self) -> None:
        def execute(_c: Any, _cu: Any, statement: str, *_: Any) -> None:
            with self._point('db', _statement(statement)):
                pass

        def commit(_connection: Any) -> None:
            with self._point('db', 'COMMIT'):
                pass

        for name, listener in (
            ('before_cursor_execute', execute),
            ('commit', commit),
        ):
            sqlalchemy.event.listen(sqlalchemy.engine.Engine, name, listener)
            self.addCleanup(
                sqlalchemy.event.remove,
                sqlalchemy.engine.Engine,
                name,
                listener,
            )

    def _watch_messages(self) -> None:
        this = self
        send, notify = (
            transport.Transport._send,
            transport.Transport._send_notification,
        )
        reply, poll = (
            impl_fake.FakeIncomingMessage.reply,
            impl_fake.FakeExchange.poll,
        )

        def sending(
            bus: Any, target: Any, context: Any, message: Any, **more: Any
        ) -> Any:
            with this._point('rpc', message['method']):
                for watch in this.messages:
                    watch(message)
                return send(bus, target, context, message, **more)

        def notifying(bus: Any, *args: Any, **more: Any) -> Any:
            _check()
            return notify(bus, *args, **more)

        def replying(message: Any, *args: Any, **more: Any) -> None:
            _check()
            reply(message, *args, **more)

        def polling(exchange: Any, target: Any, pool: Any) -> Any:
            _check()
            return poll(exchange, target, pool)

        self._patch_object(transport.Transport, '_send', sending)
        self._patch_object(
            transport.Transport, '_send_notification', notifying
        )
        self._patch_object(impl_fake.FakeIncomingMessage, 'reply', replying)
        self._patch_object(impl_fake.FakeExchange, 'poll', polling)

    def _watch(
        self,
        owner: Any,
        names: Any,
        kind: str,
        name_of: Callable[..., str] = lambda name, *args: name,
    ) -> None:
        """Make points of what fixtures have put in the place of methods."""

        def surround(name: str, method: Any) -> Any:
            def called(*args: Any, **kwargs: Any) -> Any:
                with self._point(kind, name_of(name, *args)):
                    return method(*args, **kwargs)

            return called

        for name in names:
            method = getattr(owner, name)
            called = surround(name, method)
            if isinstance(vars(owner)[name], staticmethod) or not hasattr(
                method, '__get__'
            ):
                called = staticmethod(called)
            self._patch_object(owner, name, called)

    def _neutron(self, *args: Any, **kwargs: Any) -> Any:
        return _Client(self._get_neutron_client(*args, **kwargs), self._point)

    def _patch(self, path: str, value: Any) -> None:
        self.useFixture(fixtures.MonkeyPatch(path, value))

    def _patch_object(self, owner: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MockPatchObject(owner, name, value))


class _Client:
    """A Neutron client each of whose calls is a point."""

    def __init__(self, client: Any, point: Callable[..., Any]) -> None:
        self._client = client
        self._point = point

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            with self._point('neutron', name):
                return found(*args, **kwargs)

        return called


def _submitting(submit: Any) -> Any:
    def submitted(pool: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        # Pools are shared; a thread of theirs may have been started by a
        # process that is dead by now.
        return submit(
            pool, contextvars.copy_context().run, fn, *args, **kwargs
        )

    return submitted


def _check() -> None:
    process = _current.get()
    if process:
        process.check()


def _statement(text: str) -> str:
    """Return verb and table of an SQL statement."""
    words = re.match(
        r'(?s)(SELECT).*?FROM (\w+)|(INSERT) INTO (\w+)|(UPDATE) (\w+)'
        r'|(DELETE) FROM (\w+)|(\w+)',
        text.strip(),
    )
    return ' '.join(filter(None, words.groups())) if words else text


def _path(name: str, *args: Any) -> str:
    """Return verb and kind of resource of a request to placement."""
    url = next((arg for arg in args if isinstance(arg, str)), '')
    return f'{name} /{url.strip("/").split("?")[0].split("/")[0]}'
