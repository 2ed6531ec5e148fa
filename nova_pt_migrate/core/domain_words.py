# SPDX-License-Identifier: Apache-2.0
"""What libvirt of one host says of a domain, and under which head it comes.

Active is not running: libvirt pauses a guest that it has handed over, and
ends it only when the destination has said that the guest runs there.

The numbers are those of libvirt (include/libvirt/libvirt-domain.h); which
follows from what is read from its source: src/qemu/qemu_migration.c and
src/qemu/qemu_process.c.
"""

from collections.abc import Mapping
import dataclasses
import enum
from typing import Any


class State(enum.IntEnum):
    """virDomainState."""

    NOSTATE = 0
    RUNNING = 1
    BLOCKED = 2
    PAUSED = 3
    SHUTDOWN = 4
    SHUTOFF = 5
    CRASHED = 6
    PMSUSPENDED = 7


class Running(enum.IntEnum):
    """Those of virDomainRunningReason that say more than that it runs."""

    POSTCOPY = 10
    POSTCOPY_FAILED = 11


class Paused(enum.IntEnum):
    """virDomainPausedReason."""

    UNKNOWN = 0
    USER = 1
    MIGRATION = 2
    SAVE = 3
    DUMP = 4
    IOERROR = 5
    WATCHDOG = 6
    FROM_SNAPSHOT = 7
    SHUTTING_DOWN = 8
    SNAPSHOT = 9
    CRASHED = 10
    STARTING_UP = 11
    POSTCOPY = 12
    POSTCOPY_FAILED = 13
    API_ERROR = 14


class Job(enum.IntEnum):
    """virDomainJobType."""

    NONE = 0
    BOUNDED = 1
    UNBOUNDED = 2
    COMPLETED = 3
    FAILED = 4
    CANCELLED = 5


SHUTOFF_MIGRATED = 4
"""VIR_DOMAIN_SHUTOFF_MIGRATED, of virDomainShutoffReason."""
UNSUPPORTED = 84
"""VIR_ERR_OPERATION_UNSUPPORTED: what libvirt answers at the destination to
who asks for the job of a guest that is coming (qemuDomainGetJobStatsInternal).
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """What libvirt of one host says of a domain that it knows.

    :ivar active: there is a process of it
    :ivar state: virDomainState
    :ivar reason: what it means depends on the state
    :ivar job: virDomainJobType
    """

    active: bool
    state: int
    reason: int
    job: int


class Domain(enum.Enum):
    """Under which head that comes."""

    RUNS = 'running, and no job'
    PAUSED = 'paused, but not by a migration, and no job'
    HELD = 'paused by a migration, and no job'
    BUSY = 'a job that has not ended'
    CHANGES = 'a change of its state that has not ended'
    MOVED = 'a job that has completed, and an active domain'
    POST_COPY = 'post-copy, the rest of its memory being copied'
    BROKEN = 'post-copy that has failed'
    LEFT = 'off, since it has moved'
    OFF = 'defined, not active'
    ABSENT = 'not known'
    SILENT = 'no answer'
    UNASKED = 'nothing, as its nova-compute does not know the question'


PAUSED_BY: Mapping[Paused, Domain] = {
    # virDomainSuspend. Whoever pauses a guest while it is copied has it stay
    # so on the source when it is handed over (qemuProcessHandleStop changes
    # running guests only), and the destination starts it; one that is paused
    # before stays so there (VIR_MIGRATE_PAUSED). So it says nothing alone.
    Paused.USER: Domain.PAUSED,
    # Likewise for what else may have paused it before it was handed over.
    Paused.SAVE: Domain.PAUSED,
    Paused.DUMP: Domain.PAUSED,
    Paused.IOERROR: Domain.PAUSED,
    Paused.WATCHDOG: Domain.PAUSED,
    Paused.FROM_SNAPSHOT: Domain.PAUSED,
    Paused.SHUTTING_DOWN: Domain.PAUSED,
    Paused.SNAPSHOT: Domain.PAUSED,
    Paused.CRASHED: Domain.PAUSED,
    Paused.API_ERROR: Domain.PAUSED,
    # qemuProcessHandleStop on the source; qemuProcessStart at the destination
    Paused.MIGRATION: Domain.HELD,
    # qemuProcessRecoverMigrationOut takes it for the same
    Paused.UNKNOWN: Domain.HELD,
    # qemuProcessReconnect kills it: QEMU has not got so far
    Paused.STARTING_UP: Domain.HELD,
}
"""Without a job, and not in post-copy."""

IN_STATE: Mapping[State, Domain] = {
    State.NOSTATE: Domain.HELD,
    State.RUNNING: Domain.RUNS,
    State.BLOCKED: Domain.RUNS,
    State.SHUTDOWN: Domain.CHANGES,
    State.SHUTOFF: Domain.CHANGES,
    # Kept by on_crash=preserve; its memory is as that of a paused one.
    State.CRASHED: Domain.PAUSED,
    # The guest has suspended itself; qemuProcessHandleStop leaves it so.
    State.PMSUSPENDED: Domain.PAUSED,
}
"""Active, without a job; PAUSED is in :data:`PAUSED_BY`."""


def head(word: Word) -> Domain:
    """Return under which head it comes what libvirt says of a domain.

    What this does not know, of a later libvirt, is taken for a change that
    goes on, so that nothing is done.
    """
    if not word.active:
        moved = (word.state, word.reason) == (State.SHUTOFF, SHUTOFF_MIGRATED)
        return Domain.LEFT if moved else Domain.OFF
    if (word.state, word.reason) in (
        (State.PAUSED, Paused.POSTCOPY_FAILED),
        (State.RUNNING, Running.POSTCOPY_FAILED),
    ):
        # qemuMigrationSrcPostcopyFailed, qemuMigrationDstPostcopyFailed; the
        # job stays, and vCPUs run until they need what is not there.
        return Domain.BROKEN
    if (word.state, word.reason) in (
        (State.PAUSED, Paused.POSTCOPY),
        (State.RUNNING, Running.POSTCOPY),
    ):
        # Its job outlives libvirtd (qemuProcessRestoreMigrationJob).
        return Domain.POST_COPY if word.job != Job.NONE else Domain.BROKEN
    if word.job == Job.COMPLETED:
        return Domain.MOVED
    if word.job != Job.NONE:
        return Domain.BUSY
    if word.state == State.PAUSED:
        return _known(PAUSED_BY, word.reason)
    return _known(IN_STATE, word.state)


def _known(table: Mapping[Any, Domain], number: int) -> Domain:
    return table.get(number, Domain.CHANGES)
