# SPDX-License-Identifier: Apache-2.0
"""The calls that our code makes during a migration, and how each may fail."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import enum
import sys
import threading
from types import FrameType

from keystoneauth1 import exceptions as keystone
from neutronclient.common import exceptions as neutron
from nova import exception
from oslo_concurrency import processutils
from oslo_db import exception as db
import oslo_messaging

from nova_pt_migrate.core import errors as core_errors
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import processes

OURS = 'nova_pt_migrate.'
AS_OURS = 'nova.compute.manager', '_cleanup_pre_live_migration'
"""A rollback in which Nova calls nothing of ours."""
NOT_OURS = ('nova_pt_migrate.tests.', 'nova_pt_migrate.testing.')


class How(enum.Enum):
    """How a call fails."""

    BEFORE = 'raises before it has its effect'
    AFTER = 'raises after it has had its effect'
    DIES = 'the process dies after its effect'
    STOPS = 'the process is told to stop after its effect'
    LIBVIRTD = "the host's libvirtd ends, and starts again, after its effect"


ERRORS: dict[str, Callable[[], Exception]] = {
    'libvirt': lambda: errors.internal('client socket is closed'),
    'agent': lambda: core_errors.GuestError('libvirt: agent not connected'),
    'link': lambda: core_errors.HostError('netlink: No buffer space'),
    'kernel': lambda: processutils.ProcessExecutionError('ip: Interrupted'),
    'neutron': lambda: neutron.ConnectionFailed(reason='connection reset'),
    'cinder': lambda: exception.CinderConnectionFailed(reason='reset'),
    'placement': lambda: keystone.ConnectFailure('connection reset'),
    'rpc': lambda: oslo_messaging.MessagingTimeout('no reply'),
    'db': lambda: db.DBConnectionError('server has gone away'),
}
"""What each kind of call raises when the other side cannot be reached."""


PHASE = 'phase'
"""The kind of what is no call, but a phase of libvirt's own migration."""
UNDECIDED = {
    ('source', states.Phase.PERFORMED),
    ('source', states.Phase.FINISH),
    ('source', states.Phase.STARTED),
}
"""Where libvirtd ends then nobody can tell where the guest is.

The destination makes its domain persistent before its CPUs run
(qemuMigrationDstFinishFresh), and kills the guest when the source's libvirtd
is gone, whether it has run or not.
"""
STOPPED = ('source', 'compute.driver.emit_event')
"""Who makes calls at the source when QEMU has stopped the guest there.

That is PERFORMED, too: where libvirtd ends then, likewise.
"""


@dataclasses.dataclass(frozen=True, order=True)
class Step:
    """A call of ours in one migration, told from all others of it.

    :ivar role: whose nova-compute makes it, ``source`` or ``destination``
    :ivar site: the function of ours that it is made in, or below, or Nova's
        rollback
    :ivar number: which of those that are alike otherwise, from 1
    """

    role: str
    site: str
    kind: str
    name: str
    number: int

    def __str__(self) -> str:
        return (
            f'{self.role} {self.site} {self.kind}:{self.name} #{self.number}'
        )


class Steps:
    """Gives each call of ours its step, from the begin of a migration.

    :param roles: role by name of the host
    """

    def __init__(self, roles: dict[str, str]) -> None:
        self._roles = roles
        self._lock = threading.Lock()
        self._numbers: dict[tuple[str, ...], int] = {}
        self.all: list[Step] = []

    def host(self, role: str) -> str:
        """Return the host that has a role."""
        return next(name for name, has in self._roles.items() if has == role)

    def of(self, point: processes.Point) -> Step | None:
        """Return the step of a call that is about to be made.

        :returns: None for a call in which nothing of ours has a part
        """
        site = _site(sys._getframe())
        role = self._roles.get(point.host)
        if site is None or role is None:
            return None
        key = (role, site, point.kind, point.name)
        with self._lock:
            number = self._numbers[key] = self._numbers.get(key, 0) + 1
            step = Step(*key, number)
            self.all.append(step)
        return step


def phases(role: str) -> list[Step]:
    """Return the moments of libvirt's migration at which libvirtd may end.

    :param role: whose
    """
    return [
        Step(role, 'libvirt', PHASE, phase.name, 1)
        for phase in states.Phase
        if (role, phase) not in UNDECIDED
        and (role, phase) != ('destination', states.Phase.BEGIN)
    ]


def ways(step: Step) -> list[How]:
    """Return how a call may fail."""
    if step.kind == PHASE:
        return [How.LIBVIRTD]
    libvirtd = step.kind == 'libvirt' and (step.role, step.site) != STOPPED
    return [how for how in How if how is not How.LIBVIRTD or libvirtd]


class Faults:
    """Lets calls of one migration fail; others pass.

    Set as :attr:`processes.Processes.meet`.

    :param todo: the calls, and how each is to fail
    :param ends: ends what each way ends, on a host
    :ivar met: what has failed, in order
    """

    def __init__(
        self,
        steps: Steps,
        todo: Iterable[tuple[Step, How]],
        ends: Mapping[How, Callable[[str], None]],
    ) -> None:
        self._steps = steps
        self._todo = dict(todo)
        self._ends = ends
        self._begun = threading.local()
        self.met: list[tuple[Step, How]] = []

    def __call__(self, point: processes.Point, after: bool) -> None:
        if not after:
            self._begun.step = self._steps.of(point)
        # A call may have begun before this migration did.
        step: Step | None = getattr(self._begun, 'step', None)
        how = self._todo.get(step) if step else None
        if step is None or how is None or after != (how is not How.BEFORE):
            return
        self._meet(step, point.host)
        if how not in (How.DIES, How.STOPS):
            raise ERRORS[point.kind]()

    def reached(self, phase: states.Phase) -> None:
        """Let libvirtd end where it is to end in this phase of a migration.

        Set as :attr:`testing.settings.Settings.reached`.
        """
        for step in list(self._todo):
            if (step.kind, step.name) == (PHASE, phase.name):
                self._meet(step, self._steps.host(step.role))

    def _meet(self, step: Step, host: str) -> None:
        how = self._todo.pop(step)
        self.met.append((step, how))
        if how in self._ends:
            self._ends[how](host)


def _site(frame: FrameType | None) -> str | None:
    """Return the innermost function of ours on the stack."""
    while frame is not None:
        module = frame.f_globals.get('__name__', '')
        if module.startswith(OURS) and not module.startswith(NOT_OURS):
            return f'{module.removeprefix(OURS)}.{frame.f_code.co_name}'
        if (module, frame.f_code.co_name) == AS_OURS:
            return '.'.join(AS_OURS)
        frame = frame.f_back
    return None
