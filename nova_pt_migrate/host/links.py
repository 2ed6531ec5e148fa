# SPDX-License-Identifier: Apache-2.0
"""The netdevs of this host: what is seen without root, and what is changed."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import re

from oslo_concurrency import processutils
import pyroute2

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import steps
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import announcements
from nova_pt_migrate.host import netdevs
from nova_pt_migrate.host import privileged

OVS = 'ovs-system'
"""The netdev that has every port of Open vSwitch."""


@dataclasses.dataclass(frozen=True, slots=True)
class NewLink:
    """A standby's netdev, to be made.

    :ivar mac: the only source address of the guest that may pass
    :ivar on: the bridge, or the netdev below a macvtap
    :ivar vlan: of the network there, or None
    :ivar guarded: whether frames from other addresses are dropped
    :ivar port: UUID of the port that it stands by
    :ivar server: UUID of the port's server
    """

    name: str
    mac: str
    kind: uplinks.Kind
    on: str
    vlan: int | None
    mtu: int | None
    guarded: bool
    port: str | None = None
    server: str | None = None

    @property
    def words(self) -> pairs.Words:
        """Return what is written down with it."""
        return pairs.Words(self.mac, self.port, self.server)


class HostLinks:
    """Provides :class:`core.interfaces.Links`, and makes standbys."""

    def __init__(self) -> None:
        self._announcements = announcements.Announcements()

    def observe(
        self, standby: handover.Standby, device: str | None
    ) -> handover.Found:
        """See :meth:`core.interfaces.Links.look`."""
        with (
            _failing(f'looking at {standby.link}'),
            pyroute2.IPRoute() as route,
        ):
            return handover.Found(
                up=netdevs.is_up(route, standby.link),
                filtered=bool(standby.filter)
                and netdevs.has_entry(route, str(standby.filter), standby.mac),
                stale=netdevs.stale(route, standby.mac, device),
            )

    def is_used(self, device: str) -> bool:
        """See :meth:`core.interfaces.Links.is_used`."""
        with _failing(f'looking at device {device}'):
            return netdevs.is_bus_master(device)

    def run(self, step: steps.LinkStep) -> None:
        """See :meth:`core.interfaces.Links.run`.

        What switches are told fails nothing.
        """
        if isinstance(step, steps.Announce):
            self._announcements.begin(step.standby, str(step), _call(step))
            return
        if isinstance(step, steps.LinkDown):
            self._announcements.end(step.link)
        with _failing(str(step)):
            _call(step)()

    def make(self, new: NewLink) -> None:
        """Make a standby's netdev, which is off; one that is there is kept.

        No frame of the guest can pass before it is guarded.

        :raises errors.HostError: there is none of that name
        """
        with _failing(f'making {new.name} on {new.kind} {new.on}'):
            if (netdevs.NET / new.name).exists():
                return
            try:
                self._make(new)
            except Exception:
                privileged.delete_link(new.name)
                raise

    def remove(self, name: str, kind: uplinks.Kind | None) -> None:
        """Delete a standby's netdev; one that is not there is no error.

        :raises errors.HostError: it may still be there
        """
        with _failing(f'deleting {name}'):
            if kind is uplinks.Kind.OVS:
                privileged.from_ovs(name)
            privileged.delete_link(name)

    def forget(self, name: str) -> None:
        """Delete a standby of a server that nobody knows here any more.

        One that is not there is no error.

        :raises errors.HostError: it is still there, perhaps silent, or it is
            none of ours and was not touched
        """
        with _failing(f'deleting {name}'):
            if not (netdevs.NET / name).exists():
                return
            words = pairs.read_words(netdevs.words(name))
            if words is None or not words.fits(name):
                raise errors.HostError(f'{name} is no standby of this driver')
            privileged.set_link(name, False)
            # A macvtap that is off has none.
            with pyroute2.IPRoute() as route:
                filters = netdevs.with_entry(route, words.mac)
            for link in filters:
                privileged.remove_filter(link, words.mac)
            in_ovs = netdevs.master(name) == OVS
        self.remove(name, uplinks.Kind.OVS if in_ovs else None)

    def names(self, prefix: str) -> list[str]:
        """Return the netdevs whose names begin so."""
        return sorted(path.name for path in netdevs.NET.glob(f'{prefix}*'))

    def written(self, name: str) -> str:
        """Return what is written down with a netdev; empty if nothing."""
        return netdevs.words(name)

    def physical_function(self, device: str) -> str | None:
        """Return the netdev of the PF of a VF; None for what is no VF.

        :param device: host PCI address of the VF
        """
        return netdevs.physical_function(device)

    def netdevs(self, device: str) -> list[str]:
        """Return the netdevs of a PCI device; none while a guest has it."""
        return netdevs.of_device(device)

    def obstacle(self, device: str) -> str | None:
        """Say for what on this host a PCI device is of no use to a guest.

        :returns: None if nothing is in the way
        :raises errors.HostError: it cannot be seen
        """
        with _failing(f'looking at device {device}'):
            return netdevs.user_of(device) or netdevs.switched_off(device)

    def lies_on(self, kind: uplinks.Kind, on: str, function: str) -> bool:
        """True if what hangs there shares the netdev of a PF."""
        if kind is uplinks.Kind.MACVTAP:
            return netdevs.lies_on(on, function)
        if kind is uplinks.Kind.OVS:
            return netdevs.master(function) == OVS
        return any(
            netdevs.lies_on(member, function) for member in netdevs.members(on)
        )

    def way_out(self, kind: uplinks.Kind, on: str) -> str | None:
        """Return the netdev on which the network is told of a move."""
        if kind is not uplinks.Kind.BRIDGE:
            return on
        return next(
            (
                member
                for member in netdevs.members(on)
                if netdevs.is_physical(member)
            ),
            None,
        )

    def _make(self, new: NewLink) -> None:
        if new.kind is uplinks.Kind.MACVTAP:
            privileged.create_macvtap(
                new.name, new.on, new.mac, new.vlan, new.mtu
            )
        else:
            netdevs.check_vlan(new.kind, new.on, new.vlan)
            privileged.create_tap(new.name, new.mtu)
        privileged.write_down(new.name, str(new.words))
        if new.guarded:
            hook = 'egress' if new.kind is uplinks.Kind.MACVTAP else 'ingress'
            privileged.guard(new.name, new.mac, hook)
        if new.kind is uplinks.Kind.BRIDGE:
            privileged.to_bridge(new.name, new.on, new.vlan)
        elif new.kind is uplinks.Kind.OVS:
            privileged.to_ovs(new.name, new.on, new.vlan)


def _call(step: steps.LinkStep) -> Callable[[], None]:
    match step:
        case steps.LinkUp(link):
            return lambda: privileged.set_link(link, True)
        case steps.LinkDown(link):
            return lambda: privileged.set_link(link, False)
        case steps.AddFilter(link, mac):
            return lambda: privileged.add_filter(link, mac)
        case steps.RemoveFilter(link, mac):
            return lambda: privileged.remove_filter(link, mac)
        case steps.ClearVf(link, number):
            return lambda: privileged.clear_vf(link, number)
        case steps.Announce(link, mac, _, vlan):
            return lambda: privileged.announce(link, mac, vlan)


@contextlib.contextmanager
def _failing(what: str) -> Iterator[None]:
    """Turn what the kernel says into an error of the host."""
    try:
        yield
    except (
        OSError,
        pyroute2.NetlinkError,
        processutils.ProcessExecutionError,
    ) as exc:
        said = re.sub(r'\s+', ' ', str(exc))
        raise errors.HostError(f'{what} failed: {said}') from exc
