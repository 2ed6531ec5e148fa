# SPDX-License-Identifier: Apache-2.0
"""Tell where a migrating guest is from what libvirt of both hosts says.

Each host's word comes under one head (:mod:`domain_words`); both heads
together decide (:data:`ROWS`). If libvirtd of the source ends between the
handing over and the destination's word, the guest stays paused there for
good, without a job, while it runs at the destination.

Which follows from what is read from libvirt's source:
src/qemu/qemu_migration.c and src/qemu/qemu_process.c.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import enum

from nova_pt_migrate.core import domain_words

Domain = domain_words.Domain


class Guest(enum.Enum):
    """Where the guest, or what is left of it, belongs."""

    HERE = 'on the source'
    THERE = 'on the destination'
    UNKNOWN = 'where nobody can tell yet'
    STUCK = 'where only an operator can tell'


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What follows from the source's head, alone or with the destination's.

    :ivar otherwise: where ``by_destination`` does not say
    :ivar by_destination: empty if the destination need not be asked
    """

    otherwise: Guest
    by_destination: Mapping[Domain, Guest] = dataclasses.field(
        default_factory=dict
    )


# qemuMigrationDstComplete ends the job when the CPUs run, or when a guest is
# there that stays paused; before, the reason is MIGRATION and there is a job.
_ARRIVED = {Domain.RUNS: Guest.THERE, Domain.PAUSED: Guest.THERE}
# Nobody need look while these go on, or while a host does not answer.
_WAIT = dict.fromkeys(
    (
        Domain.BUSY,
        Domain.CHANGES,
        Domain.MOVED,
        Domain.POST_COPY,
        Domain.SILENT,
    ),
    Guest.UNKNOWN,
)
# qemuMigrationDstFinishFresh makes it persistent before its CPUs run, so that
# a destination that does not know it has never run it.
_NEVER_THERE = {Domain.ABSENT: Guest.HERE}

ROWS: Mapping[Domain, Row] = {
    # It ran on all the time, or libvirt let it, since the destination did not
    # say that the guest runs there (qemuMigrationSrcRestoreDomainState).
    Domain.RUNS: Row(Guest.HERE),
    # See PAUSED_BY of the words: the destination tells if it was handed over.
    Domain.PAUSED: Row(Guest.STUCK, {**_ARRIVED, **_WAIT, **_NEVER_THERE}),
    # qemuProcessRecoverMigrationOut, PERFORM3_DONE: it was handed over, and
    # what became of it is not known here. It is the only one if the
    # destination never ran it; but it is not for us to let it run.
    Domain.HELD: Row(Guest.STUCK, {**_ARRIVED, **_WAIT}),
    Domain.BUSY: Row(Guest.UNKNOWN),
    Domain.CHANGES: Row(Guest.UNKNOWN),
    # Between the end of the copy and qemuMigrationSrcComplete.
    Domain.MOVED: Row(Guest.UNKNOWN, _ARRIVED),
    # Each host has a part of its memory; qemuMigrationProcessUnattended ends
    # it by itself.
    Domain.POST_COPY: Row(Guest.UNKNOWN),
    # Whole only if the destination needs no more of it, which ends its job;
    # else an operator has it go on (VIR_MIGRATE_POSTCOPY_RESUME).
    Domain.BROKEN: Row(Guest.STUCK, {**_ARRIVED, **_WAIT}),
    # qemuMigrationSrcComplete: libvirt ends it so only after Finish3.
    Domain.LEFT: Row(Guest.THERE),
    # Switched off by its user, or killed when libvirtd found it to have left
    # (qemuProcessRecoverMigrationOut, CONFIRM3).
    Domain.OFF: Row(Guest.STUCK, {**_ARRIVED, **_WAIT, **_NEVER_THERE}),
    # VIR_MIGRATE_UNDEFINE_SOURCE: as LEFT.
    Domain.ABSENT: Row(Guest.THERE),
    Domain.SILENT: Row(Guest.UNKNOWN),
    # Said of other hosts only.
    Domain.UNASKED: Row(Guest.UNKNOWN),
}
"""By what libvirt of the source says."""

STALE = (Domain.PAUSED, Domain.HELD, Domain.BROKEN, Domain.OFF, Domain.LEFT)
"""What is left on the source of a guest that is at the destination.

The others are gone, or libvirt is about to end them.
"""
STAYS = (Domain.RUNS, Domain.PAUSED)
"""A guest that is on the source so may be looked after there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Where the guest is, and what says so.

    :ivar destination: None if it was not asked
    """

    guest: Guest
    source: Domain
    destination: Domain | None = None

    def __str__(self) -> str:
        there = (
            'was not asked'
            if self.destination is None
            else f'says: {self.destination.value}'
        )
        return (
            f'libvirt of the source says: {self.source.value}; that of the '
            f'destination {there}'
        )


def find(source: Domain, ask: Callable[[], Domain]) -> Finding:
    """Return where the guest is.

    :param ask: gets the destination's word; called only where it decides
    """
    row = ROWS[source]
    if not row.by_destination:
        return Finding(row.otherwise, source)
    destination = ask()
    return Finding(
        row.by_destination.get(destination, row.otherwise), source, destination
    )
