# SPDX-License-Identifier: Apache-2.0
"""For which nova-compute a thread of this process works.

Each thread knows it from the one that started it, each task of a pool from
the one that handed it in, and each callback from the one that registered it.
"""

from collections.abc import Iterator
import concurrent.futures
import contextlib
import contextvars
import dataclasses
import threading
import time
from typing import Any

import fixtures
import futurist

from nova_pt_migrate.testing import connection as connections
from nova_pt_migrate.testing import faults

LASTING = 5.0
"""Seconds that a call of a dead process may last that had begun before."""
BY_OTHERS = ('libvirt', 'rpc')
"""Calls that others carry out, and that may take long."""


@dataclasses.dataclass
class Process:
    """One life of a nova-compute."""

    host: str
    alive: bool = True
    _effects: set[object] = dataclasses.field(default_factory=set)

    def check(self) -> None:
        if not self.alive:
            raise faults.Crash(f'nova-compute of {self.host} is dead')

    def kill(self) -> None:
        """End it, wherever its threads are.

        To others it is as if it had died when this returns. In a thread of
        its own nothing is waited for.
        """
        self.alive = False
        if current() is not self:
            self.wait_until_still()

    def wait_until_still(self) -> None:
        """Wait for what the dead one had begun; nothing begins any more."""
        deadline = time.monotonic() + LASTING
        while self._effects and time.monotonic() < deadline:
            time.sleep(0.01)

    @contextlib.contextmanager
    def within(self) -> Iterator[None]:
        """Work for it in the context.

        :raises faults.Crash: it is dead
        """
        self.check()
        with _working_for(self):
            yield

    @contextlib.contextmanager
    def effect(self, kind: str) -> Iterator[None]:
        """Make a call; what serves it does not belong to the process.

        :raises faults.Crash: it is dead
        """
        call = object()
        if kind not in BY_OTHERS:
            self._effects.add(call)
        called = _caller.set(self)
        try:
            self.check()
            with _working_for(None):
                yield
        finally:
            _caller.reset(called)
            self._effects.discard(call)


_worker: contextvars.ContextVar[Process | None] = contextvars.ContextVar(
    'nova-compute', default=None
)
_caller: contextvars.ContextVar[Process | None] = contextvars.ContextVar(
    'nova-compute that has called', default=None
)


def worker() -> Process | None:
    """Return whose work this is; None also in what serves its calls."""
    return _worker.get()


def current() -> Process | None:
    """Return the nova-compute whose thread this is, or None."""
    return _worker.get() or _caller.get()


class Lives(fixtures.Fixture):
    """Follows a nova-compute through its threads, tasks and callbacks."""

    def _setUp(self) -> None:
        start = threading.Thread.start

        def started(thread: threading.Thread) -> None:
            process = worker()
            if process:
                process.check()
                run = thread.run
                context = contextvars.copy_context()
                thread.run = lambda: context.run(run)  # type: ignore[method-assign]
            start(thread)

        self._patch(threading.Thread, 'start', started)
        for pool in (
            concurrent.futures.ThreadPoolExecutor,
            futurist.ThreadPoolExecutor,
        ):
            self._patch(pool, 'submit', _submitting(pool.submit))
        add = concurrent.futures.Future.add_done_callback

        def adding(future: Any, callback: Any) -> None:
            add(future, _calling_back(callback))

        self._patch(concurrent.futures.Future, 'add_done_callback', adding)
        register = connections.Connection.domainEventRegisterAny

        def registering(
            connection: Any, domain: Any, event: int, callback: Any, data: Any
        ) -> int:
            return register(
                connection, domain, event, _calling_back(callback), data
            )

        self._patch(
            connections.Connection, 'domainEventRegisterAny', registering
        )
        tell = threading.excepthook

        def told(args: Any) -> None:
            if args.exc_type is not faults.Crash:
                tell(args)

        self._patch(threading, 'excepthook', told)

    def _patch(self, owner: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MockPatchObject(owner, name, value))


@contextlib.contextmanager
def _working_for(process: Process | None) -> Iterator[None]:
    token = _worker.set(process)
    try:
        yield
    finally:
        _worker.reset(token)


def _calling_back(callback: Any) -> Any:
    """Let a callback work for the one that registers it.

    Whoever calls back, in a thread of nobody, does not notice its death.
    """
    process = worker()

    def called(*args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(faults.Crash), _working_for(process):
            return callback(*args, **kwargs)

    return called if process else callback


def _submitting(submit: Any) -> Any:
    def submitted(pool: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        process = worker()
        if process:
            process.check()
        # Pools are shared; a thread of theirs may have been started by a
        # process that is dead by now.
        return submit(
            pool, contextvars.copy_context().run, fn, *args, **kwargs
        )

    return submitted
