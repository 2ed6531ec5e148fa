# SPDX-License-Identifier: Apache-2.0
"""Tell where a migrating guest runs from what both hosts know of it."""

from collections.abc import Callable
import enum


class Source(enum.Enum):
    """What libvirt on the source says of the server's domain."""

    RUNNING = 'active, and no job'
    MOVING = 'a job that has not ended'
    MOVED = 'a job that has completed, and an active domain'
    OFF = 'defined, not active'
    ABSENT = 'not known'
    SILENT = 'no answer'


class Destination(enum.Enum):
    """What the destination says of it."""

    RUNNING = 'running'
    NOT_RUNNING = 'not running'
    SILENT = 'no answer'


class Guest(enum.Enum):
    """Where the guest, or what is left of it, belongs."""

    HERE = 'on the source'
    THERE = 'on the destination'
    UNKNOWN = 'where nobody can tell yet'


def find(source: Source, ask: Callable[[], Destination]) -> Guest:
    """Return where the guest is.

    libvirt undefines a guest on the source only when it has seen it run on
    the destination (VIR_MIGRATE_UNDEFINE_SOURCE), so that an unknown domain
    proves the arrival. A domain that is off may have been switched off by
    its user, or left behind by a migration whose end was not seen; one whose
    job has completed is paused, and about to be forgotten.

    :param ask: gets the destination's word; called only where it decides
    """
    if source is Source.RUNNING:
        return Guest.HERE
    if source is Source.ABSENT:
        return Guest.THERE
    if source not in (Source.OFF, Source.MOVED):
        return Guest.UNKNOWN
    answer = ask()
    if answer is Destination.RUNNING:
        return Guest.THERE
    if source is Source.OFF and answer is Destination.NOT_RUNNING:
        return Guest.HERE
    return Guest.UNKNOWN
