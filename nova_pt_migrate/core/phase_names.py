# SPDX-License-Identifier: Apache-2.0
"""The closed lists of phases and of their results, each with its meaning.

The names are in the log, in the events of a server's action
(``pt_migrate_<phase>``) and in notifications (``pt_migrate.<phase>.start``);
once published, a name keeps its meaning.
"""

from collections.abc import Mapping
import dataclasses
import enum


class PhaseName(enum.StrEnum):
    """A part of a live migration on one host, or of what comes after it."""

    LOOK = 'look'
    NOTICE = 'notice'
    UNPLUG = 'unplug'
    MOVE = 'move'
    PLUG = 'plug'
    HEAL = 'heal'


class Result(enum.StrEnum):
    """How a phase ended; else it ended with an exception of that name."""

    OK = 'ok'
    REFUSED = 'refused'
    NOT_SWITCHED = 'not_switched'
    ABORTED = 'aborted'
    UNPLUG_FAILED = 'unplug_failed'
    PLUG_FAILED = 'plug_failed'
    GAVE_WAY = 'gave_way'


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """What operators are told of a phase.

    :ivar host: where it happens
    :ivar meaning: sentences, in reStructuredText
    """

    host: str
    meaning: str


PHASES: Mapping[PhaseName, Description] = {
    PhaseName.LOOK: Description(
        'source',
        'The ports, the pairs and the domain are checked. What cannot work '
        'is refused; nothing was changed. Then the destination claims its '
        'devices, and rehearses them.',
    ),
    PhaseName.NOTICE: Description(
        'source',
        'Only with devices that have no standby: they are announced, and '
        'waited for as long as the flavor says. Nothing is changed.',
    ),
    PhaseName.UNPLUG: Description(
        'source',
        'The pairs are switched over to their standbys; with two ports '
        'something from the guest is waited for on the standby, for 3 '
        'seconds. Then the guest is asked to release all devices at once, '
        'and again every ``unplug_retry_interval`` until it has. Only the '
        'live domain changes: the persistent XML keeps the devices. A device '
        'counts as gone when libvirt reports ``device-removed`` or the live '
        'XML lacks it.',
    ),
    PhaseName.MOVE: Description(
        'source',
        'libvirt migrates the guest. The persistent XML that the destination '
        'gets already has the destination\'s devices, at the PCI addresses '
        'that the guest knows.',
    ),
    PhaseName.PLUG: Description(
        'destination; source after a failure',
        'Each device is plugged on its own; one that fails does not stop the '
        'others. Then each pair is switched back to its device.',
    ),
    PhaseName.HEAL: Description(
        'the one that runs the guest',
        'Outside of any live migration: devices that the guest lacks are '
        'plugged, because one was released late, was missing, or could not '
        'be plugged before. There is no such phase while nothing is missing.',
    ),
}
"""What happens in each."""

RESULTS: Mapping[Result, str] = {
    Result.OK: 'What was to be done is done.',
    Result.REFUSED: 'Of ``look``: nothing was changed.',
    Result.NOT_SWITCHED: (
        'Of ``unplug``: a standby that is required does not carry the '
        'traffic, or a pair is not ready any more. The guest was asked for no '
        'device; the server stays.'
    ),
    Result.ABORTED: (
        'Of ``notice`` or ``unplug``: a user aborted the live migration, or '
        'nova-compute gave it up. The server comes home.'
    ),
    Result.UNPLUG_FAILED: (
        'A device was not released in time, or the guest reported that it '
        'cannot release it. The server comes home.'
    ),
    Result.PLUG_FAILED: (
        'Of ``plug`` or ``heal``: the server runs without at least one device.'
    ),
    Result.GAVE_WAY: (
        'Of ``heal``: an operation of Nova has begun, and nothing more was '
        'done. The server is looked after again when that has ended.'
    ),
}
"""What each result means."""
