# SPDX-License-Identifier: Apache-2.0
"""What each task of a nova-compute asks others for, in order.

A task is what a thread or a pool was given to do: a request, an allocation of
networks, a watch. Its calls are those that leave the nova-compute. Of the
database each call is one request to the conductor: what objects do remotely
where nova-compute has no database (``indirection_api``), once for each such
call that is not made within another one.
"""

import collections
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import contextvars
import itertools
import sys
import threading
from typing import Any

import fixtures
from nova.network import model as network_model
from nova.objects import base as objects_base
from nova.tests.fixtures import notifications
from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.tests.functional import lives
from nova_pt_migrate.tests.functional import processes

REMOTE = ('_wrapper_classmethod', '_wrapper_instancemethod')
"""What oslo.versionedobjects puts around a method that may be remote."""
Task = tuple[str, ...]
"""Its calls in order; repeated ones, as of a watch, are one."""
HEARTBEAT = ('conductor:Service.save',)
"""The task that says from time to time that a service lives."""
Found = dict[str, collections.Counter[Task]]
"""How many tasks of each kind there were, by host."""
Counts = collections.Counter[tuple[str, str, str]]
"""How often each call was made, by host, kind and name."""

_task: contextvars.ContextVar[object] = contextvars.ContextVar(
    'task', default=None
)


class Recorder(fixtures.Fixture):
    """Records all calls of all nova-computes while it is asked to."""

    def __init__(self, of: processes.Processes) -> None:
        super().__init__()
        self._of = of
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, object], list[str]] | None = None

    def _setUp(self) -> None:
        run = lives.Process.run

        def running(process: lives.Process, function: Any) -> Any:
            token = _task.set(object())
            try:
                return run(process, function)
            finally:
                _task.reset(token)

        self._patch(lives.Process, 'run', running)
        self._patch(
            objects_base.NovaObject, 'indirection_api', _Conductor(self._note)
        )
        self._of.watch(
            libvirt_driver.LibvirtDriver, ['_create_image'], 'image'
        )
        wait = network_model.NetworkInfoAsyncWrapper.wait

        def waiting(info: Any, *args: Any, **kwargs: Any) -> Any:
            if info._future is not None:
                self._note('network', 'wait')
            return wait(info, *args, **kwargs)

        self._patch(network_model.NetworkInfoAsyncWrapper, 'wait', waiting)
        self._of.meet = self._meet
        notify = notifications.FakeVersionedNotifier._notify

        def notifying(
            one: Any, priority: Any, ctxt: Any, event_type: str, payload: Any
        ) -> Any:
            self._note('notification', event_type)
            return notify(one, priority, ctxt, event_type, payload)

        self._patch(notifications.FakeVersionedNotifier, '_notify', notifying)

    @contextlib.contextmanager
    def recording(self) -> Iterator[Found]:
        """Record in the context; what is found is whole at its end."""
        found: Found = collections.defaultdict(collections.Counter)
        with self._keeping() as kept:
            yield found
        for (host, _), names in kept.items():
            task = tuple(name for name, _ in itertools.groupby(names))
            if task != HEARTBEAT:
                found[host][task] += 1

    @contextlib.contextmanager
    def counting(self) -> Iterator[Counts]:
        """Count in the context, each call; whole at its end."""
        counts: Counts = collections.Counter()
        with self._keeping() as kept:
            yield counts
        for (host, _), names in kept.items():
            if set(names) != set(HEARTBEAT):
                for kind, _, name in (each.partition(':') for each in names):
                    counts[host, kind, name] += 1

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[dict[tuple[str, object], list[str]]]:
        kept: dict[tuple[str, object], list[str]] = {}
        with self._lock:
            self._calls = kept
        try:
            yield kept
        finally:
            with self._lock:
                self._calls = None

    def _meet(self, point: processes.Point, after: bool) -> None:
        # Whole transactions are not what is counted of the database.
        if not after and point.kind != 'db':
            self._note(point.kind, point.name)

    def _note(self, kind: str, name: str) -> None:
        process = lives.worker()
        if process is None:
            return
        task = _task.get() or threading.get_ident()
        with self._lock:
            if self._calls is not None:
                self._calls.setdefault((process.host, task), []).append(
                    f'{kind}:{name}'
                )

    def _patch(self, owner: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MockPatchObject(owner, name, value))


class _Conductor:
    """There is none to ask, which is noted where one would be asked."""

    def __init__(self, note: Any) -> None:
        self._note = note

    def __get__(self, _instance: Any, cls: Any) -> None:
        frame = sys._getframe(1)
        if frame.f_code.co_name not in REMOTE:
            return
        outer = frame.f_back
        while outer is not None:
            if outer.f_code.co_name in REMOTE:
                return
            outer = outer.f_back
        method = frame.f_locals['fn'].__name__
        self._note('conductor', f'{cls.obj_name()}.{method}')


def calls(found: Found) -> collections.Counter[str]:
    """Return how often each call was made, whoever made it."""
    return sum(
        (
            collections.Counter(task * count)
            for tasks in found.values()
            for task, count in tasks.items()
        ),
        collections.Counter(),
    )


def differences(ours: Found, stock: Found) -> Iterable[str]:
    """Return the tasks that only one of two has, one each line."""
    for host in sorted({*ours, *stock}):
        for sign, one, other in (('+', ours, stock), ('-', stock, ours)):
            for task, count in sorted((one[host] - other[host]).items()):
                yield f'{sign}{count} {host}: {" ".join(task)}'
