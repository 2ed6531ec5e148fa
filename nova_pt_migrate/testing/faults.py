# SPDX-License-Identifier: Apache-2.0
"""Let a named call fail, hang, or end the client that makes it."""

from collections.abc import Callable
import dataclasses
import threading

from nova_pt_migrate.testing import calls


class Crash(BaseException):
    """The client was killed; not an Exception, so that nobody handles it."""


@dataclasses.dataclass
class Hang:
    """A call that does not return until it is released.

    :ivar reached: set when the call began to hang
    """

    reached: threading.Event = dataclasses.field(
        default_factory=threading.Event
    )
    _released: threading.Event = dataclasses.field(
        default_factory=threading.Event
    )

    def release(self) -> None:
        """Let the call go on; every further one passes at once."""
        self._released.set()

    def hang(self) -> None:
        self.reached.set()
        self._released.wait()


@dataclasses.dataclass
class _Fault:
    name: str
    host: str | None
    device: str | None
    after: bool
    times: int
    act: Callable[[], None]

    def meets(self, call: calls.Call, after: bool) -> bool:
        return (
            self.times > 0
            and self.after == after
            and self.name == call.name
            and self.host in (None, call.host)
            and (self.device is None or self.device in call.devices)
        )


class Faults:
    """What shall go wrong; each method is given the call that it meets.

    ``name`` is the method's, ``host`` and ``device`` narrow it (see
    :class:`calls.Call`). ``after`` lets the call have its effect first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._hangs: list[Hang] = []

    def fail(
        self,
        name: str,
        error: Exception,
        *,
        host: str | None = None,
        device: str | None = None,
        after: bool = False,
        times: int = 1,
    ) -> None:
        """Let the next ``times`` such calls raise the error."""

        def act() -> None:
            raise error

        self._add(_Fault(name, host, device, after, times, act))

    def hang(
        self,
        name: str,
        *,
        host: str | None = None,
        device: str | None = None,
        after: bool = False,
    ) -> Hang:
        """Let the next such call hang until the result is released."""
        hang = Hang()
        self._hangs.append(hang)
        self._add(_Fault(name, host, device, after, 1, hang.hang))
        return hang

    def crash(
        self,
        name: str,
        kill: Callable[[], None],
        *,
        host: str | None = None,
        device: str | None = None,
        after: bool = False,
    ) -> None:
        """Let the next such call run ``kill`` and raise :class:`Crash`.

        :param kill: usually :meth:`connection.Connection.kill`, after which
            every call of that client ends in the same way
        """

        def act() -> None:
            kill()
            raise Crash(name)

        self._add(_Fault(name, host, device, after, 1, act))

    def forget(self, name: str) -> None:
        """Let such calls do no more than they do by themselves."""
        with self._lock:
            self._faults = [f for f in self._faults if f.name != name]

    def clear(self) -> None:
        """Let every call do no more than it does by itself."""
        self.release()
        with self._lock:
            self._faults = []

    def release(self) -> None:
        """Release every call that hangs; the fixture does so at the end."""
        for hang in self._hangs:
            hang.release()

    def meet(self, call: calls.Call, after: bool) -> None:
        """Act if a fault is meant for this call."""
        with self._lock:
            fault = next(
                (f for f in self._faults if f.meets(call, after)), None
            )
            if fault is not None:
                fault.times -= 1
        if fault is not None:
            fault.act()

    def _add(self, fault: _Fault) -> None:
        with self._lock:
            self._faults.append(fault)
