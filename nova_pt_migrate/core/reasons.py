# SPDX-License-Identifier: Apache-2.0
"""The closed list of reasons that users and tools are told.

Each code is the name of an event of the server's action and the ``reason`` of
a notification; once published, a code keeps its meaning.
"""

from collections.abc import Mapping
import dataclasses
import enum


class Reason(enum.StrEnum):
    """Why something did not go as asked."""

    NOT_READY = 'pt_migrate_not_ready'
    PEER = 'pt_migrate_peer'
    NO_DEVICE = 'pt_migrate_no_device'
    DESTINATION = 'pt_migrate_destination'
    UNACCOUNTED = 'pt_migrate_unaccounted'
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
    UNDECIDED = 'pt_migrate_undecided'


@dataclasses.dataclass(frozen=True, slots=True)
class Advice:
    """What a reason means, and what to do.

    :ivar meaning: for the server, in sentences
    :ivar remedy: what to do, in sentences
    :ivar check: the command that shows the cause; words in capitals are to be
        replaced
    :ivar run: the command that helps, when the cause is gone
    """

    meaning: str
    remedy: str
    check: str
    run: str


_DETAILS = 'openstack server event show SERVER REQUEST_ID'
_MIGRATE = 'openstack server migrate --live-migration SERVER'
_DEVICES = 'virsh dumpxml SERVER'
_REBOOT = 'openstack server reboot --hard SERVER'

ADVICE: Mapping[Reason, Advice] = {
    Reason.NOT_READY: Advice(
        'The server cannot leave its host now; nothing was changed.',
        'Correct what the details name, and migrate again.',
        _DETAILS,
        _MIGRATE,
    ),
    Reason.PEER: Advice(
        'The destination does not run this driver, or one that does not fit; '
        'nothing was changed.',
        'Upgrade it, or choose another host.',
        'pip show nova-pt-migrate',
        f'{_MIGRATE} --host HOST',
    ),
    Reason.NO_DEVICE: Advice(
        'The destination has no fitting free device; nothing was changed.',
        'Free some there, or choose another host.',
        'openstack server list --all-projects --host HOST',
        f'{_MIGRATE} --host HOST',
    ),
    Reason.DESTINATION: Advice(
        'The destination cannot hand its devices to the server now; nothing '
        'was changed.',
        'Correct what the details name, or choose another host.',
        _DETAILS,
        f'{_MIGRATE} --host HOST',
    ),
    Reason.UNACCOUNTED: Advice(
        'The guest has a pass-through device that belongs to no port and no '
        'alias of the server by Nova\'s records; nothing was changed.',
        'Where the details name a port, wait until Nova has read the '
        'server\'s ports from Neutron again (heal_instance_info_cache_'
        'interval), and migrate again. Detach what was plugged by hand.',
        'openstack port list --server SERVER',
        'virsh detach-device SERVER FILE --live',
    ),
    Reason.UNPAIRED: Advice(
        'The server was not started on a host: its flavor, or the cloud, '
        'wants a standby that it cannot have there.',
        'Correct what the details name, take another flavor, or let this one '
        'do without.',
        'openstack flavor show FLAVOR -c properties',
        'openstack flavor set FLAVOR --property pt_migrate:standby=preferred',
    ),
    Reason.NO_STANDBY: Advice(
        'The server moved though its standby was not shown to work, as its '
        'flavor or the cloud wants it; its network may have been interrupted.',
        'Correct what the details name. A standby of the driver\'s own that '
        'is missing comes with a hard reboot.',
        _DETAILS,
        _REBOOT,
    ),
    Reason.NO_BOND: Advice(
        'The bond in the guest could not be made, or not undone; it is tried '
        'again from time to time.',
        'Correct what the details name. The agent must run in the guest, and '
        'may write files and run programs there.',
        'virsh qemu-agent-command SERVER \'{"execute": "guest-info"}\'',
        'systemctl enable --now qemu-guest-agent  # in the guest',
    ),
    Reason.SWITCH_FAILED: Advice(
        'The traffic could not be switched to the standby; the server '
        'stayed, with all its devices, and the guest was asked for none.',
        'Correct what the details name, and migrate again.',
        'virsh domiflist SERVER',
        _MIGRATE,
    ),
    Reason.QUIET: Advice(
        'Nothing was seen of the guest on a second port for some seconds '
        'after its bond had been switched to it; the live migration went on. '
        'Others may have sent to the device for a while.',
        'See the details; a guest that has nothing to send is in order. Else '
        'let the bond announce itself more often.',
        'cat /sys/class/net/BOND/bonding/num_grat_arp  # in the guest',
        'echo 3 > /sys/class/net/BOND/bonding/num_grat_arp  # in the guest',
    ),
    Reason.UNPLUG_TIMEOUT: Advice(
        'The guest did not release a device in time; the server stayed, with '
        'all its devices.',
        'See that the guest has booted, that its kernel does hot-plug and '
        'that nothing in it holds the device.',
        'openstack console log show SERVER',
        _MIGRATE,
    ),
    Reason.UNPLUG_REFUSED: Advice(
        'The guest said that it cannot release a device; the server stayed, '
        'with all its devices.',
        'See the log of the guest.',
        'openstack console log show SERVER',
        _MIGRATE,
    ),
    Reason.ABORTED: Advice(
        'The user aborted the live migration, or it could not be watched any '
        'more; the server stayed, with all its devices.',
        'Nothing; migrate again if it shall move.',
        'openstack server migration list --server SERVER',
        _MIGRATE,
    ),
    Reason.MOVE_FAILED: Advice(
        'libvirt did not say that it moved the guest. Where the guest stayed, '
        'its devices are plugged again. The details are what libvirt said.',
        'Remove the cause, and migrate again.',
        'journalctl -u libvirtd -u virtqemud --since "1 hour ago"',
        _MIGRATE,
    ),
    Reason.PLUG_FAILED: Advice(
        'A device could not be plugged; the server runs without it, and it '
        'is tried again from time to time.',
        'Remove the cause that the details name, and wait, or reboot the '
        'server.',
        _DEVICES,
        _REBOOT,
    ),
    Reason.PLUG_TIMEOUT: Advice(
        'A device was not plugged in time and may still come; the server '
        'runs without it until then.',
        'See whether it has come before anything else is done.',
        _DEVICES,
        _REBOOT,
    ),
    Reason.HOST_ERROR: Advice(
        'A call to the compute host failed.',
        'See the details, and the log of nova-compute there.',
        'grep SERVER /var/log/nova/nova-compute.log',
        _MIGRATE,
    ),
    Reason.INTERRUPTED: Advice(
        'nova-compute of the source ended during the live migration; it was '
        'settled where the guest was found.',
        'See why nova-compute ended, and migrate again if the server is still '
        'to move.',
        'openstack compute service list --service nova-compute',
        _MIGRATE,
    ),
    Reason.UNDECIDED: Advice(
        'The live migration broke off after the guest had been handed over, '
        'and neither host has a guest that is known to be whole. Nothing was '
        'changed; the server stays in task state migrating until that is '
        'settled.',
        'An operator has to let the guest go on where it is whole, as the '
        'administration guide says; the rest is done by itself.',
        'virsh domstate --reason SERVER  # on source and destination',
        'virsh resume SERVER  # on the source, if the destination has none',
    ),
}
"""What each means, what to do, the command to check and the one to run."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong.

    :ivar text: a sentence without its full stop
    """

    reason: Reason
    text: str

    def __str__(self) -> str:
        return self.text
