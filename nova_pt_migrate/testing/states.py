# SPDX-License-Identifier: Apache-2.0
"""Why a domain is in its state, as libvirt numbers it.

The numbers are libvirt's (include/libvirt/libvirt-domain.h: virDomainRunning-
Reason, virDomainPausedReason, virDomainShutoffReason); Nova's fixture has the
states only.
"""

import enum


class Running(enum.IntEnum):
    """virDomainRunningReason."""

    BOOTED = 1
    MIGRATED = 2
    RESTORED = 3
    UNPAUSED = 5
    MIGRATION_CANCELED = 6
    POSTCOPY = 10
    POSTCOPY_FAILED = 11


class Paused(enum.IntEnum):
    """virDomainPausedReason."""

    UNKNOWN = 0
    USER = 1
    MIGRATION = 2
    IOERROR = 5
    POSTCOPY = 12
    POSTCOPY_FAILED = 13


class Shutoff(enum.IntEnum):
    """virDomainShutoffReason."""

    UNKNOWN = 0
    SHUTDOWN = 1
    DESTROYED = 2
    MIGRATED = 4
    SAVED = 5
    FAILED = 6


class Memory(enum.Enum):
    """What a domain's process has of the guest; libvirt does not know it.

    It is what a test looks at to see whether a guest was lost.
    """

    WHOLE = 'all of it, as it is now'
    PART = 'a part of it, the rest being with the other host'
    STALE = 'nothing, or what it was before the guest ran elsewhere'


class Phase(enum.Enum):
    """How far a migration is, in libvirt's protocol of version 3.

    The begin of each is a moment at which libvirtd may end. The words are
    those of qemuMigrationJobPhase (src/qemu/qemu_migration.h), where it has
    one; what it calls ``finish3`` is two moments here.
    """

    BEGIN = 'begin3'
    PREPARE = 'prepare'
    PERFORM = 'perform3'
    PERFORMED = 'perform3_done'
    FINISH = 'finish3'
    STARTED = 'finish3, and the CPUs run at the destination'
    FINISHED = 'finish3 has been answered'
    CONFIRM = 'confirm3'
