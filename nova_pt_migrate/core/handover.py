# SPDX-License-Identifier: Apache-2.0
"""Whose filter has a pair's MAC address, and whether its standby is on.

At any moment the address is in the filters of the host whose CPUs run, and of
no other, since an embedded switch keeps frames for an address that it knows.
While they run nowhere it is in those of the host where they may run next. Who
carries the traffic of a pair follows from what is seen, so that a crash or a
restart is repaired by looking again.
"""

from collections.abc import Iterable
import dataclasses
import enum

from nova_pt_migrate.core import steps

Step = steps.LinkStep | steps.CarrierStep


class Carrier(enum.Enum):
    """Who carries the traffic of a pair on one host, in words."""

    PRIMARY = 'with its device'
    """The pass-through device, once the guest uses it."""

    STANDBY = 'with its standby'
    """The para-virtualised NIC: the device leaves, is out, or is not used."""

    NOBODY = 'with nobody, as the guest does not run here'
    """The guest does not run on this host."""

    SOON = 'ready, as the guest may begin to run here'
    """The standby, as far as it may be on before."""


@dataclasses.dataclass(frozen=True, slots=True)
class Standby:
    """The host's side of a pair's para-virtualised NIC.

    :ivar link: netdev of the standby on the host
    :ivar mac: the address that the pair has in the guest
    :ivar filter: netdev of the PF that must take frames for the address while
        the standby carries; None where the standby's own link does that, or
        where it hangs elsewhere
    :ivar uplink: netdev on which a move of the address is announced
    :ivar vlan: of the network on that uplink, or None
    :ivar early: it may be on before the guest runs, as a port of a switch
        that sends nothing by itself and is not known there by the address
    """

    link: str
    mac: str
    filter: str | None
    uplink: str | None
    vlan: int | None = None
    early: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What a look at the host showed of a pair.

    :ivar up: the standby's link is on; None if there is no such link
    :ivar filtered: the PF's filter has the address by an entry of ours
    :ivar stale: the number of a VF without a guest that has the address still
    :ivar linked: the guest sees a link on the standby; None where it is not
        looked at
    """

    up: bool | None
    filtered: bool
    stale: int | None = None
    linked: bool | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What should be.

    :ivar primary: the device is still, or again, in the guest
    :ivar both: the NIC gives frames to the PF and to a VF with the same
        address, so that the PF may have it before the VF has lost it
    """

    carrier: Carrier
    primary: bool
    both: bool


def plan(standby: Standby, found: Found, wanted: Wanted) -> tuple[Step, ...]:
    """Return the steps that turn ``found`` into ``wanted``, in order.

    The guest sees a link on the standby as long as that leads somewhere: a
    bond takes a way with a link for one, when that of its device goes away,
    and may stay there for good (bonding.rst, "primary_reselect").

    Pure; empty when there is nothing to do.
    """
    if wanted.carrier is Carrier.SOON and standby.early:
        return _soon(standby, found)
    if wanted.carrier is not Carrier.STANDBY:
        return _off(standby, found)
    todo: list[Step] = []
    if found.up is False:
        todo.append(steps.LinkUp(standby.link))
    if not wanted.primary and found.stale is not None and standby.filter:
        todo.append(steps.ClearVf(standby.filter, found.stale))
    if (
        standby.filter
        and not found.filtered
        and (wanted.both or not wanted.primary)
    ):
        todo.append(steps.AddFilter(standby.filter, standby.mac))
    if found.linked is False:
        todo.append(steps.Connect(standby.link))
    if todo and not wanted.primary and standby.uplink:
        todo.append(_announce(standby))
    return tuple(todo)


def at_once(
    standby: Standby, seen: Found | None, both: bool
) -> tuple[Step, ...]:
    """Return what lets a standby carry for a guest that begins to run here.

    For before a look, since the guest is deaf until then: it does no harm
    where it is not needed. :func:`plan` has the rest, whatever came of it.

    :param seen: what a look showed before, when the guest was made ready for
    :param both: as that of :class:`Wanted`
    """
    todo: list[Step] = []
    if seen is None or seen.up is None:
        todo.append(steps.LinkUp(standby.link))
    else:
        wanted = Wanted(Carrier.STANDBY, primary=False, both=both)
        todo += [
            step
            for step in plan(standby, seen, wanted)
            if not isinstance(step, steps.Announce)
        ]
    known = seen is not None or not standby.filter
    if standby.uplink and known:
        todo.append(_announce(standby))
    return tuple(todo)


def _announce(standby: Standby) -> steps.Announce:
    assert standby.uplink is not None
    return steps.Announce(
        standby.uplink, standby.mac, standby.link, standby.vlan
    )


def _soon(standby: Standby, found: Found) -> tuple[Step, ...]:
    """The standby is on, and nobody takes its frames, nor a VF set up."""
    todo: list[Step] = []
    if found.stale is not None and standby.filter:
        todo.append(steps.ClearVf(standby.filter, found.stale))
    if found.filtered and standby.filter:
        todo.append(steps.RemoveFilter(standby.filter, standby.mac))
    if not found.up:
        todo.append(steps.LinkUp(standby.link))
    return tuple(todo)


def _off(standby: Standby, found: Found) -> tuple[Step, ...]:
    """The standby is silent, and nobody but a VF takes its frames."""
    todo: list[Step] = []
    if found.linked:
        todo.append(steps.Disconnect(standby.link))
    if found.filtered and standby.filter:
        todo.append(steps.RemoveFilter(standby.filter, standby.mac))
    if found.up:
        todo.append(steps.LinkDown(standby.link))
    return tuple(todo)


def after(found: Found, todo: Iterable[steps.Step]) -> Found:
    """Return what would be found when the steps were done."""
    for step in todo:
        match step:
            case steps.LinkUp() | steps.LinkDown():
                up = isinstance(step, steps.LinkUp)
                found = dataclasses.replace(found, up=up)
            case steps.AddFilter() | steps.RemoveFilter():
                there = isinstance(step, steps.AddFilter)
                found = dataclasses.replace(found, filtered=there)
            case steps.ClearVf():
                found = dataclasses.replace(found, stale=None)
            case steps.Connect() | steps.Disconnect():
                linked = isinstance(step, steps.Connect)
                found = dataclasses.replace(found, linked=linked)
    return found
