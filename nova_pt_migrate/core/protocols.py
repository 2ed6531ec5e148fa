# SPDX-License-Identifier: Apache-2.0
"""The protocols between the drivers of two hosts, which share no version."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Protocols:
    """The protocols between source and destination that a driver speaks.

    A number stands for all that the two do not say to each other but rely
    on: who unplugs and who plugs, and that the persistent XML arrives with
    the destination's devices (1); that the source tells the destination when
    the guest has stopped (2).
    """

    oldest: int
    newest: int

    def __str__(self) -> str:
        return f'{self.oldest} to {self.newest}'


SPOKEN = Protocols(1, 2)
"""By this driver."""
TELLS = 2
"""From this one on the destination is told when the guest has stopped."""
