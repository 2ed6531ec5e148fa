# SPDX-License-Identifier: Apache-2.0
"""For which nova-compute a thread of this process works.

Each thread knows it from the one that started it, each task of a pool from
the one that handed it in, and each callback from the one that registered it.
The threads of a pool are nobody's, so that others may use the pool on.

Whatever of a process waits for another thread ends with it, since nobody may
be left to tell it. All such waits of Python's are waits for a condition:
events, semaphores, queues and futures have one.
"""

from collections.abc import Callable
from collections.abc import Iterator
import concurrent.futures
import contextlib
import contextvars
import dataclasses
import functools
import sys
import threading
import time
import traceback
from typing import Any

import fixtures
import futurist

from nova_pt_migrate.testing import connection as connections
from nova_pt_migrate.testing import faults

LASTING = 5.0
"""Seconds that a call of a dead process may last that had begun before."""
BURIED = 30.0
"""Seconds within which the threads of a dead process must have ended."""
BY_OTHERS = ('libvirt', 'rpc')
"""Calls that others carry out, and that may take long."""


@dataclasses.dataclass
class Process:
    """One life of a nova-compute."""

    host: str
    alive: bool = True
    _buried: bool = False
    _effects: set[object] = dataclasses.field(default_factory=set)
    _threads: dict[object, threading.Thread] = dataclasses.field(
        default_factory=dict
    )
    _guard: Any = dataclasses.field(default_factory=threading.Lock)
    _waiting: dict[Any, bool] = dataclasses.field(default_factory=dict)

    def check(self) -> None:
        if not self.alive:
            raise faults.Crash(f'nova-compute of {self.host} is dead')

    def kill(self) -> None:
        """End it, wherever its threads are.

        To others it is as if it had died when this returns. In a thread of
        its own nothing is waited for.
        """
        with self._guard:
            self.alive = False
        self._wake()
        if current() is not self:
            self.wait_until_still()

    def bury(self) -> list[threading.Thread]:
        """End what serves its calls as well, as its test is over.

        :returns: threads that are still at work for it, none if all is well
        """
        with self._guard:
            self.alive, self._buried = False, True
        self._wake()
        deadline = time.monotonic() + BURIED
        while self._threads and time.monotonic() < deadline:
            time.sleep(0.01)
        return list(self._threads.values())

    def at_work(self) -> set[object]:
        """Return what is under way, one for each thread and task."""
        return set(self._threads)

    def wait(self, condition: Any, timeout: float | None) -> bool:
        """Wait for a condition, whose lock is held, as long as it lives.

        What serves a call of a dead one waits on, until the end of the test.

        :returns: False if nobody has told within ``timeout`` seconds
        :raises faults.Crash: it is dead
        """
        serves = worker() is None
        turn = threading.Lock()
        turn.acquire()
        with self._guard:
            self._check_wait(serves)
            self._waiting[turn] = serves
        condition._waiters.append(turn)
        lock = condition._release_save()
        told = False
        try:
            told = turn.acquire(
                timeout=-1 if timeout is None else max(timeout, 0.0)
            )
        finally:
            condition._acquire_restore(lock)
            with self._guard:
                del self._waiting[turn]
            with contextlib.suppress(ValueError):
                condition._waiters.remove(turn)
        self._check_wait(serves)
        return told

    def _check_wait(self, serves: bool) -> None:
        if self._buried or not serves:
            self.check()

    def _wake(self) -> None:
        with self._guard:
            for turn, serves in self._waiting.items():
                if self._buried or not serves:
                    # It may have been told a moment ago.
                    with contextlib.suppress(RuntimeError):
                        turn.release()

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
        with _working_for(self), self._at_work():
            yield

    def run(self, function: Callable[[], Any]) -> Any:
        """Do what a thread of it, or a task, is there for."""
        with self._at_work():
            return function()

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        work = object()
        self._threads[work] = threading.current_thread()
        try:
            yield
        finally:
            del self._threads[work]

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


def stack_of(thread: threading.Thread) -> str:
    """Return where a thread is, as in a traceback."""
    frame = sys._current_frames().get(thread.ident or 0)
    return ''.join(traceback.format_stack(frame)) if frame else 'ended\n'


class Lives(fixtures.Fixture):
    """Follows a nova-compute through its threads, tasks and callbacks."""

    def _setUp(self) -> None:
        start = threading.Thread.start

        def started(thread: threading.Thread) -> None:
            process = worker()
            if process:
                process.check()
                run = functools.partial(process.run, thread.run)
                context = contextvars.copy_context()
                thread.run = lambda: context.run(run)  # type: ignore[method-assign]
            start(thread)

        self._patch(threading.Thread, 'start', started)
        wait = _waiting(threading.Condition.wait)
        self._patch(threading.Condition, 'wait', wait)
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
        context = contextvars.copy_context()
        if not process:
            return submit(pool, context.run, fn, *args, **kwargs)
        process.check()
        task = functools.partial(fn, *args, **kwargs)
        # Threads that are started for it are the pool's.
        with _working_for(None):
            return submit(pool, context.run, process.run, task)

    return submitted


def _waiting(wait: Any) -> Any:
    def waiting(condition: Any, timeout: float | None = None) -> Any:
        process = current()
        if process is None:
            return wait(condition, timeout)
        return process.wait(condition, timeout)

    return waiting
