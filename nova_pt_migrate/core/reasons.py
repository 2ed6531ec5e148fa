# SPDX-License-Identifier: Apache-2.0
"""The closed list of reasons that users and tools are told.

Each code is the name of an event of the server's action and the ``reason`` of
a notification; once published, a code keeps its meaning.
"""

import dataclasses
import enum


class Reason(enum.StrEnum):
    """Why something did not go as asked."""

    NOT_READY = 'pt_migrate_not_ready'
    PEER = 'pt_migrate_peer'
    NO_DEVICE = 'pt_migrate_no_device'
    DESTINATION = 'pt_migrate_destination'
    UNPAIRED = 'pt_migrate_unpaired'
    NO_STANDBY = 'pt_migrate_no_standby'
    NO_BOND = 'pt_migrate_no_bond'
    SWITCH_FAILED = 'pt_migrate_switch_failed'
    QUIET = 'pt_migrate_quiet'
    UNPLUG_TIMEOUT = 'pt_migrate_unplug_timeout'
    UNPLUG_REFUSED = 'pt_migrate_unplug_refused'
    ABORTED = 'pt_migrate_aborted'
    MOVE_FAILED = 'pt_migrate_move_failed'
    PLUG_FAILED = 'pt_migrate_plug_failed'
    PLUG_TIMEOUT = 'pt_migrate_plug_timeout'
    HOST_ERROR = 'pt_migrate_host_error'
    INTERRUPTED = 'pt_migrate_interrupted'


MEANING = {
    Reason.NOT_READY: (
        'The server cannot leave its host now; nothing was changed. Correct '
        'what the details name, and migrate again.'
    ),
    Reason.PEER: (
        'The destination does not run this driver, or one that does not fit; '
        'nothing was changed. Upgrade it, or choose another host.'
    ),
    Reason.NO_DEVICE: (
        'The destination has no fitting free device; nothing was changed. '
        'Free some there, or choose another host.'
    ),
    Reason.DESTINATION: (
        'The destination cannot hand its devices to the server now; nothing '
        'was changed. Correct what the details name, or choose another host.'
    ),
    Reason.UNPAIRED: (
        'The server was not started on a host: its flavor, or the cloud, '
        'wants a standby that it cannot have there. See the details.'
    ),
    Reason.NO_STANDBY: (
        'The server moved though its standby was not shown to work, as its '
        'flavor or the cloud wants it; its network may have been interrupted. '
        'Correct what the details name.'
    ),
    Reason.NO_BOND: (
        'The bond in the guest could not be made, or not undone; it is tried '
        'again from time to time. Correct what the details name.'
    ),
    Reason.SWITCH_FAILED: (
        'The traffic could not be switched to the standby; the server stayed, '
        'with all its devices, and the guest was asked for none.'
    ),
    Reason.QUIET: (
        'Nothing was seen of the guest on a second port for some seconds '
        'after its bond had been switched to it; the live migration went on. '
        'Others may have sent to the device for a while. See the details; a '
        'guest that has nothing to send is in order.'
    ),
    Reason.UNPLUG_TIMEOUT: (
        'The guest did not release a device in time; the server stayed, with '
        'all its devices. See that the guest has booted, that its kernel '
        'does hot-plug and that nothing in it holds the device.'
    ),
    Reason.UNPLUG_REFUSED: (
        'The guest said that it cannot release a device; the server stayed, '
        'with all its devices. See the log of the guest.'
    ),
    Reason.ABORTED: (
        'The user aborted the live migration, or it could not be watched any '
        'more; the server stayed, with all its devices.'
    ),
    Reason.MOVE_FAILED: (
        'libvirt did not move the guest; the server stayed, and its devices '
        'are plugged again. The details are what libvirt said.'
    ),
    Reason.PLUG_FAILED: (
        'A device could not be plugged; the server runs without it, and it '
        'is tried again from time to time. See the details.'
    ),
    Reason.PLUG_TIMEOUT: (
        'A device was not plugged in time and may still come; the server '
        'runs without it until then.'
    ),
    Reason.HOST_ERROR: (
        'A call to the compute host failed. See the details, and the log of '
        'nova-compute there.'
    ),
    Reason.INTERRUPTED: (
        'nova-compute of the source ended during the live migration; it was '
        'settled where the guest was found.'
    ),
}
"""What each means for the server, and what to do."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong.

    :ivar text: a sentence without its full stop
    """

    reason: Reason
    text: str

    def __str__(self) -> str:
        return self.text
