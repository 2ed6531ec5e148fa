# SPDX-License-Identifier: Apache-2.0
"""What is found, what is wanted, and what is to be done. Values only."""

from collections.abc import Mapping
import dataclasses
from typing import NamedTuple

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import model
from nova_pt_migrate.core import order
from nova_pt_migrate.core import steps

Seen = handover.Found | errors.HostError


@dataclasses.dataclass(frozen=True, slots=True)
class Paired:
    """A pass-through port with a standby, as far as this host goes.

    :ivar device: host PCI address
    :ivar standby: the host's side of one of ours; None for a second port
    :ivar bond: the guest has a bond, which is told what to use
    :ivar required: the server stays where its standby does not carry
    """

    port: str
    device: str
    standby: handover.Standby | None
    bond: bool
    required: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What should be.

    :ivar devices: that this driver owns
    :ivar pairs: those of them that have a standby
    :ivar both: NICs give frames to a PF and to a VF with the same address
    :ivar seen: links as they were seen before, for what must not wait for a
        look; by port
    """

    place: order.Place
    devices: tuple[model.Device, ...] = ()
    pairs: tuple[Paired, ...] = ()
    both: bool = False
    seen: Mapping[str, Seen] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    :ivar domain: None where it has not been looked at
    :ivar links: by port; why one could not be seen
    """

    domain: model.Found | None = None
    links: Mapping[str, Seen] = dataclasses.field(default_factory=dict)

    def has(self, device: str) -> bool:
        """Tell whether a device is in the live domain."""
        return self.domain is not None and device in self.domain.live


class Key(NamedTuple):
    """What is done once in an operation."""

    stage: order.Stage
    port: str
    device: str


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """The steps of one stage for one port, in order.

    :ivar cannot: why they cannot be done, instead of them
    :ivar ends: nothing more is done where they fail
    """

    key: Key
    todo: tuple[steps.Step, ...] = ()
    cannot: errors.HostError | None = None
    ends: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What an operation has come to so far, beside what is found.

    :ivar ended: tasks that were done, or have failed
    :ivar carriers: who is to carry a pair whose use was waited for, by device
    :ivar sure: devices by which the guest was seen to send
    """

    ended: frozenset[Key] = frozenset()
    carriers: Mapping[str, handover.Carrier] = dataclasses.field(
        default_factory=dict
    )
    sure: frozenset[str] = frozenset()


NOTHING = Known()
