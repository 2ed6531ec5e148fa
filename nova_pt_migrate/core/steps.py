# SPDX-License-Identifier: Apache-2.0
"""One change on one host each; the planner makes them, act runs them."""

import dataclasses

from nova_pt_migrate.core import model


@dataclasses.dataclass(frozen=True, slots=True)
class Unplug:
    """Take the device out of the live domain; the persistent XML keeps it.

    :ivar alias: libvirt's name of the device in the live domain
    """

    device: model.Device
    alias: str


@dataclasses.dataclass(frozen=True, slots=True)
class Plug:
    """Put the device into the live domain.

    :ivar xml: the element to plug
    :ivar persist: put it into the persistent XML too, which lacks it
    """

    device: model.Device
    xml: str
    persist: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Keep:
    """Put a device of the live domain into the persistent XML, which lacks it.

    Others may have plugged it into the live domain only, as Nova does when it
    resumes a server that was suspended.

    :ivar xml: the live element
    """

    device: model.Device
    xml: str


@dataclasses.dataclass(frozen=True, slots=True)
class LinkUp:
    """Switch a netdev of the host on."""

    link: str

    def __str__(self) -> str:
        return f'switching {self.link} on'


@dataclasses.dataclass(frozen=True, slots=True)
class LinkDown:
    """Switch a netdev of the host off."""

    link: str

    def __str__(self) -> str:
        return f'switching {self.link} off'


@dataclasses.dataclass(frozen=True, slots=True)
class AddFilter:
    """Let the PF take frames for a MAC address."""

    link: str
    mac: str

    def __str__(self) -> str:
        return f'adding {self.mac} to the filter of {self.link}'


@dataclasses.dataclass(frozen=True, slots=True)
class RemoveFilter:
    """Take an entry of ours out of the PF's filter."""

    link: str
    mac: str

    def __str__(self) -> str:
        return f'removing {self.mac} from the filter of {self.link}'


@dataclasses.dataclass(frozen=True, slots=True)
class ClearVf:
    """Take the MAC address from a VF that no guest has.

    :ivar link: netdev of the PF
    :ivar number: of the VF
    """

    link: str
    number: int

    def __str__(self) -> str:
        return f'clearing the MAC address of VF {self.number} of {self.link}'


@dataclasses.dataclass(frozen=True, slots=True)
class Announce:
    """Tell the switches on an uplink that a MAC address is here now.

    :ivar standby: the netdev whose guest has the address; they are told it no
        more when that is switched off
    :ivar vlan: that the frame is to have, or None
    """

    link: str
    mac: str
    standby: str
    vlan: int | None = None

    def __str__(self) -> str:
        return f'announcing {self.mac} on {self.link}'


@dataclasses.dataclass(frozen=True, slots=True)
class Connect:
    """Let the guest see a link on the NIC with this netdev."""

    link: str

    def __str__(self) -> str:
        return f'giving the guest a link on {self.link}'


@dataclasses.dataclass(frozen=True, slots=True)
class Disconnect:
    """Let the guest see no link on the NIC with this netdev."""

    link: str

    def __str__(self) -> str:
        return f'taking the link on {self.link} from the guest'


@dataclasses.dataclass(frozen=True, slots=True)
class Settle:
    """Give the guest time to act on a link that came or went."""

    seconds: float


LinkStep = LinkUp | LinkDown | AddFilter | RemoveFilter | ClearVf | Announce


@dataclasses.dataclass(frozen=True, slots=True)
class Favour:
    """Have the guest make a pair's standby active in its bond.

    :ivar fresh: its link has just come
    """

    port: str
    fresh: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Hear:
    """See something that the guest sends where it was told to."""

    port: str


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """See a driver of the guest take a device into use."""

    device: str


@dataclasses.dataclass(frozen=True, slots=True)
class Prefer:
    """See the guest send by a pair's device, and let its bond do so.

    :ivar patient: give it some seconds where nobody can tell
    """

    port: str
    patient: bool


CarrierStep = Connect | Disconnect
Step = (
    Unplug
    | Plug
    | Keep
    | LinkStep
    | CarrierStep
    | Settle
    | Favour
    | Hear
    | Use
    | Prefer
)
