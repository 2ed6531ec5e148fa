# SPDX-License-Identifier: Apache-2.0
"""Where standbys hang: the operator's mapping of physical networks."""

from collections.abc import Mapping
import dataclasses
import enum

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import text


class Kind(enum.StrEnum):
    """What connects a standby with a network."""

    BRIDGE = 'bridge'
    OVS = 'ovs'
    MACVTAP = 'macvtap'


@dataclasses.dataclass(frozen=True, slots=True)
class Uplink:
    """One entry of ``[pt_migrate] standby_uplinks``.

    :ivar link: netdev: the bridge, or what a macvtap lies on
    """

    kind: Kind
    link: str


def read(mapping: Mapping[str, str]) -> dict[str, Uplink]:
    """Return the uplinks by physical network.

    :raises errors.CannotStart: naming the entry and what is allowed
    """
    return {
        network: _uplink(network, word) for network, word in mapping.items()
    }


def _uplink(network: str, word: str) -> Uplink:
    kind, _, link = word.partition('/')
    if kind not in list(Kind) or not text.is_interface(link):
        raise errors.CannotStart(
            f'[pt_migrate] standby_uplinks: {network}:{word} is none; allowed '
            f'is <physical network>:<kind>/<netdev>, where the kind is '
            f'{", ".join(Kind)}.'
        )
    return Uplink(Kind(kind), link)
