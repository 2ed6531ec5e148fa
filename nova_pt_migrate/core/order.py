# SPDX-License-Identifier: Apache-2.0
"""What is done to devices, links and guest, in which order, and why.

The table is what this project is about; nobody else says what comes after
what. :mod:`core.plan` finds out which stage is next, :mod:`core.act` runs it,
and the documents show the table as it stands here.
"""

from collections.abc import Mapping
import enum
from typing import NamedTuple


class Place(enum.Enum):
    """Where a server is meant to be, or is, as this host sees it."""

    LEAVING = 'leaving'
    """It is about to move: its guest is on its standbys, without devices."""

    HOME = 'home'
    """It is to stay: after arrival, rollback, restart, and when it heals."""

    AWAITED = 'awaited'
    """It may come; its guest does not run here yet."""

    DUE = 'due'
    """Its guest has stopped elsewhere, and may run here at any moment."""

    ARRIVING = 'arriving'
    """Its guest begins to run here, on its standbys."""

    AWAY = 'away'
    """Its guest does not run here."""


class Stage(enum.Enum):
    """What is done, in a word; :data:`ORDER` says what for."""

    RECORD = 'record'
    SWITCH = 'switch'
    HEAR = 'hear'
    UNPLUG = 'unplug'
    CARRY = 'carry'
    PLUG = 'plug'
    RETURN = 'return'
    USE = 'use'
    READY = 'ready'
    OPEN = 'open'
    BEGIN = 'begin'
    SILENCE = 'silence'


class Row(NamedTuple):
    """A stage of a place.

    :ivar brief: what is done, in a few words
    :ivar what: the same, in sentences
    :ivar why: at this moment, and who says so
    """

    stage: Stage
    brief: str
    what: str
    why: str


_RECORD = Row(
    Stage.RECORD,
    'the persistent XML gets what it lacks',
    'Devices that only the live XML has are put into the persistent XML.',
    'It tells later what the guest must have, and at which of its PCI '
    'addresses; Nova plugs into the live domain alone when it resumes a '
    'server (nova/virt/libvirt/driver.py, _attach_direct_passthrough_ports).',
)
_CARRY = Row(
    Stage.CARRY,
    'VF cleared, filter added, address announced',
    'Where the device is out, its VF loses the MAC address, the filter of the '
    'PF gets it, and the switches are told.',
    'A switch in the NIC keeps frames for an address that a VF has still, and '
    'switches outside send them where they have seen it last '
    '(IEEE 802.1Q, 8.7; net_failover.rst: the VF gets $ZERO_MAC).',
)
ORDER: Mapping[Place, tuple[Row, ...]] = {
    Place.LEAVING: (
        _RECORD,
        Row(
            Stage.SWITCH,
            'standbys on, in the filter, with a link; the bond is told',
            'Each standby is switched on, the filter of a PF that gives '
            'frames to both gets the address, the guest sees a link, and a '
            'bond is told to use the standby.',
            'The other way is open before the one in use is closed '
            '(Documentation/networking/net_failover.rst, "Live Migration of a '
            'VM"; bonding.rst, "active_slave"), and before the guest is shown '
            'it.',
        ),
        Row(
            Stage.HEAR,
            'something from the guest on a second port',
            'Something that the guest sends on a second port is waited for.',
            'Others send to the device until they have heard the guest '
            'elsewhere (bonding.rst, "num_grat_arp").',
        ),
        Row(
            Stage.UNPLUG,
            'all devices are asked for together',
            'The guest is asked for all devices together.',
            'Each may take seconds, and the guest is on its standbys '
            'anyway; no guest that has one migrates (QEMU, '
            'docs/devel/migration/vfio.rst).',
        ),
        _CARRY,
    ),
    Place.HOME: (
        _RECORD,
        _CARRY,
        Row(
            Stage.PLUG,
            'each device, one after the other',
            'Each device is plugged, one after the other.',
            'libvirt holds the lock of the domain while it plugs one, and '
            'one that fails must not keep others out.',
        ),
        Row(
            Stage.RETURN,
            'link down, filter removed, standby off; or it carries',
            'Of a device that the guest uses the standby loses its link in '
            'the guest, leaves the filter and is switched off; of any other '
            'it carries.',
            'A bond goes to any slave with a link when that of its device '
            'goes away, and may stay there (bonding.rst, '
            '"primary_reselect"). The address is in one filter before the '
            'other way is closed; a guest that uses no device yet is deaf '
            'without its standby.',
        ),
        Row(
            Stage.USE,
            'a driver, a link and the bond, one pair at a time',
            'The use of one device is waited for: a driver, a link, the bond.',
            'A device is in the guest seconds before it carries '
            '(drivers/net/ethernet/intel/igbvf: igbvf_watchdog_task). One '
            'pair after the other, so that none waits for another.',
        ),
    ),
    Place.AWAITED: (
        Row(
            Stage.READY,
            'taps on, which send nothing by themselves',
            'Each standby that is a tap on a bridge or an OVS is switched on; '
            'a macvtap is not, nor is a filter set. A VF that was set up '
            'loses the address until it is plugged.',
            'What the guest sends first leaves at once. Until it does the '
            'switch knows the address elsewhere and gives the tap what it '
            'floods, which a guest that waits does not read (IEEE 802.1Q, '
            '8.7). A macvtap is a filter by itself (drivers/net/macvlan.c).',
        ),
    ),
    Place.DUE: (
        Row(
            Stage.OPEN,
            'standbys on, in the filter; not announced',
            'Each standby is switched on and gets the filter of the PF. '
            'Nothing is announced.',
            'The source has taken the address out of its filters, and says '
            'so: nobody runs, and whoever runs next is heard at once. Should '
            'that be the source, it says so as well.',
        ),
    ),
    Place.ARRIVING: (
        Row(
            Stage.BEGIN,
            'standbys on, before anything is looked at',
            'Each standby is switched on, gets the filter of the PF, and is '
            'announced, by what was seen when it was made ready.',
            'The guest is deaf until then, and a look takes as long as that.',
        ),
        _CARRY,
    ),
    Place.AWAY: (
        Row(
            Stage.SILENCE,
            'filter removed, standby off',
            'Each standby leaves the filter and is switched off.',
            'The address is in the filters of the host alone whose CPUs run '
            '(see core.handover).',
        ),
    ),
}
"""The stages of each place, and who says that they are so ordered."""
