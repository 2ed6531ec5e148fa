# SPDX-License-Identifier: Apache-2.0
"""Who may do what to a server on this host, and until when.

Nova's operations exclude each other, by the server's task state and by locks.
What this driver does without being asked (healing, what an event of libvirt
tells, the lease) is unknown to Nova. It takes a *turn*, and an *operation*
ends it: before each further step on host or guest it is seen whether the turn
is still good. An operation never waits for more than the step that is under
way, and not for long for that.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import enum
import threading
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.core import errors

LOG = logging.getLogger(__name__)
Counted = Callable[[str, str], contextlib.AbstractContextManager[None]]
PATIENCE = 30.0
"""Seconds that an operation waits for the step that is under way.

The longest is a device that is plugged, while libvirt holds the domain's lock
anyway; without it the operation fails by itself, and is repeated.
"""


class Moment(enum.Enum):
    """What may happen to a guest, in words for :meth:`Owners.under_way`."""

    RUNS = 'its arrival'
    """Its CPUs begin to run here."""

    STOPS = 'its departure'
    """They cease to."""

    NEAR = 'its approach'
    """They have ceased to at the source."""

    FAR = 'its return'
    """They run at the source again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Expected:
    """What is to be done at a moment.

    :ivar within: the operation in which that may come; None if in none
    :ivar last: nothing is expected any more when it has come
    """

    do: Callable[[turns.Turn], None]
    within: str | None = None
    last: bool = False


@dataclasses.dataclass
class _Owner:
    """What is under way with one server.

    :ivar mutex: held for one step
    :ivar generation: of the turns that may begin now
    :ivar operations: what they are, in words
    :ivar turns: what they are for, in words; all but the last are over
    :ivar expected: what is to be done at a moment
    :ivar users: threads that have to do with it
    """

    mutex: Any = dataclasses.field(default_factory=threading.RLock)
    generation: turns.Generation = dataclasses.field(
        default_factory=turns.Generation
    )
    operations: list[str] = dataclasses.field(default_factory=list)
    turns: list[str] = dataclasses.field(default_factory=list)
    expected: dict[Moment, Expected] = dataclasses.field(default_factory=dict)
    users: int = 0

    def begin(self, what: str) -> None:
        """Begin an operation; what is expected comes no more."""
        self.operations.append(what)
        self.expected.clear()
        self.end_turns()

    def end_turns(self) -> None:
        self.generation.set()
        self.generation = turns.Generation()


class Owners:
    """All servers of this host with which something is under way.

    :param stops: tells whether nova-compute was told to stop
    :param counted: surrounds what nova-compute shall wait for then; called
        with the server's UUID and with what it is, in words
    """

    def __init__(
        self,
        stops: Callable[[], bool] = lambda: False,
        counted: Counted = lambda server, what: contextlib.nullcontext(),
    ) -> None:
        self._stops = stops
        self._counted = counted
        self._lock = threading.Lock()
        self._owners: dict[str, _Owner] = {}
        self._closed = False

    def operation(
        self, server: str, what: str
    ) -> contextlib.AbstractContextManager[None]:
        """Surround what Nova has asked for; it ends every turn.

        One operation does not wait for another: that is Nova's. Raises
        nothing.

        :param server: UUID
        :param what: in words, for :meth:`under_way`
        """
        return self._operation(server, what, lambda owner: None)

    @contextlib.contextmanager
    def settling(self, server: str, what: str) -> Iterator[None]:
        """An operation that Nova has not asked for.

        :raises errors.NotOurTurn: one of Nova's is under way, or
            nova-compute stops; no turn has ended
        """
        with (
            self._operation(server, what, self._refuse),
            self._counted(server, what),
        ):
            yield

    @contextlib.contextmanager
    def _operation(
        self, server: str, what: str, may: Callable[[_Owner], None]
    ) -> Iterator[None]:
        with self._of(server) as owner:
            with self._lock:
                may(owner)
                owner.begin(what)
            try:
                self._wait_for_step(server, owner)
                yield
            finally:
                with self._lock:
                    owner.operations.remove(what)

    @contextlib.contextmanager
    def turn(
        self,
        server: str,
        what: str,
        first: bool = False,
        within: str | None = None,
    ) -> Iterator[turns.Turn]:
        """Do something with a server that nobody has asked for.

        :param first: other turns end, as it cannot wait for them
        :param within: an operation that may be under way
        :raises errors.NotOurTurn: an operation or another turn is under way,
            or nova-compute stops; or one of the steps was too late
        """
        with self._of(server) as owner:
            with self._lock:
                self._refuse(owner, within)
                if first:
                    owner.end_turns()
                elif owner.turns:
                    raise errors.NotOurTurn(f'{owner.turns[-1]} is under way')
                owner.turns.append(what)
                turn = turns.Turn(owner.mutex, owner.generation)
            try:
                with self._counted(server, what):
                    yield turn
            finally:
                with self._lock:
                    owner.turns.remove(what)

    def expect(self, server: str, moment: Moment, what: Expected) -> None:
        """Have something done at a moment.

        Unless another operation begins before: then what was expected does
        not come any more. Called in the operation that prepares.
        """
        with self._lock:
            owner = self._owners.setdefault(server, _Owner())
            owner.expected[moment] = what

    def take(self, server: str, moment: Moment) -> Expected | None:
        """Return what is to be done at a moment, which has come."""
        with self._lock:
            owner = self._owners.get(server)
            if owner is None or moment not in owner.expected:
                return None
            found = owner.expected[moment]
            if found.last:
                owner.expected.clear()
                self._drop_idle(server, owner)
            return found

    def close(self) -> None:
        """Let no turn begin any more; those under way go on to their end."""
        with self._lock:
            self._closed = True

    def under_way(self) -> list[str]:
        """Return what is under way, a sentence's begin for each."""
        with self._lock:
            return [
                f'server {server}: {what}'
                for server, owner in self._owners.items()
                for what in [*owner.operations, *owner.turns]
            ]

    def _refuse(self, owner: _Owner, within: str | None = None) -> None:
        if self._closed or self._stops():
            raise errors.NotOurTurn('nova-compute stops')
        others = [what for what in owner.operations if what != within]
        if others:
            raise errors.NotOurTurn(f'{others[0]} is under way')

    def _wait_for_step(self, server: str, owner: _Owner) -> None:
        if owner.mutex.acquire(timeout=PATIENCE):
            owner.mutex.release()
            return
        LOG.warning(
            'Server %s: %s does not wait any longer for %s, one step of '
            'which takes more than %d s', server, owner.operations[-1],
            ' and '.join(owner.turns) or 'another thread', PATIENCE,
        )  # fmt: skip

    @contextlib.contextmanager
    def _of(self, server: str) -> Iterator[_Owner]:
        with self._lock:
            owner = self._owners.setdefault(server, _Owner())
            owner.users += 1
        try:
            yield owner
        finally:
            with self._lock:
                owner.users -= 1
                self._drop_idle(server, owner)

    def _drop_idle(self, server: str, owner: _Owner) -> None:
        if not owner.users and not owner.expected:
            self._owners.pop(server, None)
