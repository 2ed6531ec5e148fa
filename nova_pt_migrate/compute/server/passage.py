# SPDX-License-Identifier: Apache-2.0
"""What is done on either host while a guest passes from one to the other.

The source takes the address out of its filters when QEMU has stopped the
guest, and tells the destination, where it is let in before the guest runs: so
it is in one host's filters at a time, and the guest is heard from its first
frame. What is not told in time is done by libvirt's event that the guest runs.
"""

from collections.abc import Callable

from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.core import order

Switch = Callable[[turns.Turn, order.Place], bool]
"""Brings the host's side of a guest's pairs to a place; False if it is not."""
Moment = owner.Moment
Place = order.Place


def expect_departure(
    owners: owner.Owners,
    server: str,
    within: str,
    switch: Switch,
    tell: Callable[[bool], None],
) -> None:
    """Have the source give the guest's address up, and take it back.

    :param within: the operation in which it migrates
    :param tell: tells the destination whether it has stopped; returns at once
    """

    def give_up(turn: turns.Turn) -> None:
        if switch(turn, Place.AWAY):
            tell(True)

    def take_back(turn: turns.Turn) -> None:
        switch(turn, Place.ARRIVING)
        tell(False)

    owners.expect(server, Moment.STOPS, owner.Expected(give_up, within))
    owners.expect(server, Moment.RUNS, owner.Expected(take_back, within))


def expect_arrival(owners: owner.Owners, server: str, switch: Switch) -> None:
    """Have the destination take the guest's address when it may."""

    def when(place: Place, last: bool = False) -> owner.Expected:
        def do(turn: turns.Turn) -> None:
            switch(turn, place)

        return owner.Expected(do, last=last)

    owners.expect(server, Moment.NEAR, when(Place.DUE))
    owners.expect(server, Moment.FAR, when(Place.AWAITED))
    owners.expect(server, Moment.RUNS, when(Place.ARRIVING, last=True))
