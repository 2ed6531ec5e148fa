# SPDX-License-Identifier: Apache-2.0
"""Wait for what a guest does, each time with a deadline."""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import interfaces

USED = 15.0
"""Seconds that a guest has to use a device that was plugged."""
JOINED = 3.0
"""Seconds of these that it has to put the device into its bond by itself."""
SETTLED = 4.0
"""Seconds for that where nobody tells of it.

igbvf looks at its link every 2 s (igbvf_watchdog_task), others more often.
"""
LINKED = 5.0
"""Seconds that a bond has to take a standby whose link has come.

NetworkManager puts a NIC into its bond only when it has a link, and bonds that
this driver makes wait for ``updelay``, 1 s, until they use it.
"""
LINKED_UNSEEN = 1.5
"""Seconds for that where nobody tells of it."""
ARRIVED = 3.0
"""Seconds that a guest has to send on a second port that was made active.

Linux announces that at once, or when its link watch, which runs once a second,
has caught up (bond_should_notify_peers, net/core/link_watch.c).
"""
INTERVAL = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Time:
    """How time passes.

    :ivar clock: monotonic seconds
    :ivar pause: lets seconds pass
    """

    clock: Callable[[], float]
    pause: Callable[[float], object]


def favour(
    guest: interfaces.Guest, port: str, fresh: bool, time: Time
) -> None:
    """Have the guest make a pair's standby active in its bond.

    One whose link has just come is in the bond, and up there, only some time
    later (bonding.rst, "miimon", "updelay"), and the kernel takes no other
    (drivers/net/bonding/bond_options.c, bond_option_active_slave_set).

    :param fresh: its link has just come
    :raises errors.NotActive: it is seen that it is not
    :raises errors.HostError: libvirt does not answer
    """
    end = time.clock() + (LINKED if fresh else 0.0)
    while True:
        try:
            if not guest.favour(port) and fresh:
                time.pause(LINKED_UNSEEN)
            return
        except errors.NotActive:
            if time.clock() >= end:
                raise
            time.pause(INTERVAL)


def hear(
    guest: interfaces.Guest,
    ports: Collection[str],
    time: Time,
    stop: Callable[[], bool],
) -> list[str]:
    """Wait until the guest has sent on each second port in use now.

    All have the same seconds. Others learn from what it sends where it is;
    until then they send to the device. Raises nothing.

    :param stop: tells whether to wait no longer
    :returns: those on which it has sent nothing in that time
    """
    end = time.clock() + ARRIVED
    left = list(ports)
    while not stop():
        left = [port for port in left if not guest.is_heard(port)]
        if not left or time.clock() >= end:
            return left
        time.pause(INTERVAL)
    return []


def use(links: interfaces.Links, device: str, time: Time) -> None:
    """Wait until a driver of the guest has taken a device into use.

    Its link comes a moment later, which cannot be seen from the host.

    :raises errors.NotActive: it is taken not to be used
    """
    deadline = time.clock() + USED
    while True:
        answer = ''
        try:
            if links.is_used(device):
                return
        except errors.HostError as exc:
            answer = f' ({exc})'
        if time.clock() > deadline:
            raise errors.NotActive(
                f'it does not use device {device} yet{answer}'
            )
        time.pause(INTERVAL)


def prefer(
    guest: interfaces.Guest, port: str, patient: bool, time: Time
) -> bool:
    """Wait until the guest sends by the device of a pair, which is in it.

    :param patient: wait as well where nobody can tell
    :returns: it was seen
    :raises errors.NotActive: it does not
    :raises errors.GuestError: its agent does not tell as it should
    :raises errors.HostError: libvirt does not answer
    """
    begin = time.clock()
    while True:
        passed = time.clock() - begin
        try:
            seen = guest.uses(port, passed >= JOINED)
        except errors.GuestError:
            if passed >= USED:
                raise
            time.pause(INTERVAL)
        else:
            if not seen and patient:
                time.pause(SETTLED)
            return seen


def carrier_after(failure: Exception | None) -> handover.Carrier:
    """Return who is to carry when the use of a device was waited for.

    Where it was seen that the guest does not use it, its standby.
    """
    if isinstance(failure, errors.NotActive):
        return handover.Carrier.STANDBY
    return handover.Carrier.PRIMARY
