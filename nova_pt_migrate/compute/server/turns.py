# SPDX-License-Identifier: Apache-2.0
"""What one thread may do to a server until an operation of Nova's begins.

Whatever the thread works with (domain, netdevs, the guest's agent) is guarded
once, where it is made; so no step can be forgotten.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import threading
from typing import Any
from typing import cast
from typing import Protocol
from typing import TypeVar

from nova_pt_migrate.core import errors
from nova_pt_migrate.host import blocking

T = TypeVar('T')
MOMENT = 0.1
"""Seconds after which a turn that is over is noticed at the latest."""


class Guard(Protocol):
    """Sees to it that each call of a thing is a step of some turn."""

    def __call__(self, thing: T, /) -> T:
        """Return the same thing."""


class Generation(threading.Event):
    """What was begun between two operations; set when its time is over."""


class Turn:
    """What one thread may do to a server, as long as nobody takes over.

    :param mutex: of the server, held for one step
    :param generation: to which the turn belongs
    """

    def __init__(self, mutex: Any, generation: Generation) -> None:
        self._mutex = mutex
        self._generation = generation

    def check(self) -> None:
        """See that it is still this thread's turn.

        :raises errors.NotOurTurn: an operation has begun since
        """
        if self._generation.is_set():
            raise errors.NotOurTurn('an operation of Nova has begun since')

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Surround one step, for which an operation waits.

        :raises errors.NotOurTurn: it is too late; the step is not done
        """
        with self._mutex:
            self.check()
            yield

    def pause(self, seconds: float) -> None:
        """Let time pass; it ends at once when the turn does.

        :raises errors.NotOurTurn: an operation has begun
        """
        self._generation.wait(seconds)
        self.check()

    def ask(self, question: Callable[[], T]) -> T:
        """Return the answer of a guest, for which no operation waits.

        libvirt gives a guest's agent one command at a time, and the agent
        carries them out in order. So one that is left behind comes before
        whatever the operation asks.

        :raises errors.NotOurTurn: an operation has begun; the guest may
            still do what it was asked for
        :raises Exception: as the question does
        """
        self.check()
        answer = blocking.Call(question, 'ask')
        while not answer.finished(MOMENT):
            self.check()
        self.check()
        if answer.error is not None:
            raise answer.error
        return cast(T, answer.value)

    def guard(self, thing: T) -> T:
        """Return the same thing, each of whose calls is a step."""

        def calling(call: Callable[[], Any]) -> Any:
            with self.step():
                return call()

        return cast(T, _Guarded(thing, calling))

    def guard_asking(self, thing: T) -> T:
        """Return the same thing, each of whose calls asks the guest."""
        return cast(T, _Guarded(thing, self.ask))


def unguarded(thing: T) -> T:
    """Return a thing for an operation, which gives way to nobody."""
    return thing


class _Guarded:
    """Stands for a thing, and lets each call of a method go through one."""

    def __init__(
        self, thing: Any, calling: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self._thing = thing
        self._calling = calling

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._calling(
            lambda: found(*args, **kwargs)
        )
