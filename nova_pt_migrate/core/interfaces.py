# SPDX-License-Identifier: Apache-2.0
"""What the core asks of a compute host; rooms host and compute provide it."""

import contextlib
import dataclasses
from typing import Protocol
from typing import TypeVar

from nova_pt_migrate.core import handover
from nova_pt_migrate.core import model
from nova_pt_migrate.core import steps

T = TypeVar('T')


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceEvent:
    """libvirt's word on a device: it has left, or the guest kept it.

    :ivar alias: libvirt's name of the device
    :ivar removed: True for ``device-removed``, False for
        ``device-removal-failed``
    """

    alias: str
    removed: bool


class Turn(Protocol):
    """The right to do something to a server that nobody has asked for."""

    def step(self) -> contextlib.AbstractContextManager[None]:
        """Surround one step.

        :raises errors.NotOurTurn: it is too late; the step is not done
        """

    def guard(self, thing: T, /) -> T:
        """Return the same thing, each of whose calls is a step."""


class Watch(Protocol):
    """A subscription to the device events of one domain."""

    def wait(self, seconds: float) -> list[DeviceEvent]:
        """Return the events since the last call.

        Blocks for up to ``seconds`` while there is none and nobody wakes
        it; the list may be empty. Never raises.
        """


class Domain(Protocol):
    """One libvirt domain on this host."""

    def observe(self) -> model.Found:
        """Look at the live and the persistent XML. Changes nothing.

        :raises errors.HostError: if libvirt does not answer
        """

    def set_link(self, target: str, up: bool) -> None:
        """Let the guest see a link on one of its NICs, or none.

        The live domain alone is changed: it starts the next time as its
        persistent XML says. Not while it migrates.

        :param target: name of the NIC's netdev on this host
        :raises errors.HostError: libvirt's answer was an error; only a look
            at the domain tells whether it is so
        """

    def sent(self, target: str) -> int:
        """Return how many frames the guest has sent on one of its NICs.

        :param target: name of the NIC's netdev on this host
        :raises errors.HostError: libvirt does not tell
        """

    def watch(self) -> contextlib.AbstractContextManager[Watch]:
        """Subscribe to device events until the context ends."""

    def request_unplug(self, alias: str) -> None:
        """Ask the guest to release the device; returns at once.

        The request cannot be withdrawn: after it the device may leave at
        any time. The persistent XML is not changed.

        :raises errors.HostError: libvirt's answer was an error: the device
            is not there, was asked for before, or was not asked for; only a
            look at the domain tells which
        """

    def plug(self, xml: str, persist: bool, seconds: float) -> None:
        """Put the device into the live domain; blocks until it is there.

        :param persist: change the persistent XML as well
        :param seconds: how long to wait for libvirt's answer
        :raises errors.PlugFailed: the device is in neither XML
        :raises errors.UnfitDevice: it is in neither XML by its own fault;
            another device may get in
        :raises errors.PlugTimeout: no answer yet; the device may still come
        """

    def keep(self, xml: str) -> None:
        """Put a live device's element into the persistent XML.

        The live domain is not changed.

        :raises errors.HostError: the persistent XML is as it was
        """

    def forget(self, address: str) -> None:
        """Take a device out of the persistent XML.

        The live domain is not changed.

        :param address: PCI address of the device on the host
        :raises errors.HostError: the persistent XML is as it was
        """

    def exchange(self, address: str, xml: str) -> str | None:
        """Put another device into the persistent XML in place of one there.

        It gets the guest's PCI address of that one. The live domain is not
        changed.

        :param address: PCI address on the host of the device to replace
        :returns: the element as it is there now; None, and nothing is
            changed, if the persistent XML lacks the device
        :raises errors.HostError: the persistent XML is as it was
        """


class Links(Protocol):
    """The netdevs of this host, as far as pairs have to do with them."""

    def observe(
        self, standby: handover.Standby, device: str | None
    ) -> handover.Found:
        """Look at a pair's standby and filters. Changes nothing.

        :param device: host PCI address of a VF that is not in the guest, or
            None if it is, or is no VF
        :raises errors.HostError: it cannot be seen
        """

    def is_used(self, device: str) -> bool:
        """Tell whether a guest's driver has taken a device into use.

        Where that cannot be seen it is taken to be so.

        :param device: host PCI address
        :raises errors.HostError: it cannot be seen
        """

    def run(self, step: steps.LinkStep) -> None:
        """Do one step; one that was done already has no effect.

        An announcement that cannot be made is no failure: the guest tells
        switches by what it sends.

        :raises errors.HostError: it is not done
        """


class Guest(Protocol):
    """The inside of a guest, as far as its pairs go."""

    def favour(self, port: str) -> bool:
        """Make a pair's standby active, where the guest has a bond.

        Where the agent may not do it, or does not answer, the bond does it
        when the device leaves, as that of a guest without one.

        :returns: False if nobody can tell
        :raises errors.NotActive: it is seen that it is not
        :raises errors.HostError: libvirt does not answer
        """

    def is_heard(self, port: str) -> bool:
        """Tell whether it has sent where it was told to.

        True where there is nothing to wait for. Raises nothing.
        """

    def uses(self, port: str, join: bool) -> bool:
        """Tell whether it sends by a pair's device, and let a bond do so.

        :param join: put the device into the bond, where it is not
        :returns: False if nobody can tell
        :raises errors.NotActive: it is seen that it does not
        :raises errors.GuestError: its agent does not tell as it should
        :raises errors.HostError: libvirt does not answer
        """


class AgentChannel(Protocol):
    """The way to the agent in one guest."""

    def ask(self, command: str, seconds: int) -> str:
        """Send a command and return its reply, both JSON.

        :param seconds: how long to wait for the reply, at least 1
        :raises errors.Denied: the reply is an error
        :raises errors.NoSuchFile: it is that there is no such file
        :raises errors.GuestError: there is no agent, or no reply in time
        """


class Wiring(Protocol):
    """The host's side of a device: trust mode and the like."""

    def connect(self, device: model.Device) -> None:
        """Prepare the device before it is plugged; may be repeated.

        :raises errors.UnfitDevice: it is as it was before
        """

    def disconnect(self, device: model.Device) -> None:
        """Undo :meth:`connect` once no guest has the device.

        Never raises: what is left is harmless and the provider logs it.
        """
