# SPDX-License-Identifier: Apache-2.0
"""The trials of standbys: which server, on which hosts, and what it does."""

import collections.abc
import contextlib
import dataclasses

from lab import changes
from lab import faults
from lab import network
from lab import outcome
from lab import settings
from lab import shell
from lab import standing

Around = collections.abc.Callable[
    [settings.Settings], contextlib.AbstractContextManager[None]
]


@dataclasses.dataclass(frozen=True)
class Trial:
    """A server that is migrated in special circumstances.

    :ivar kind: of the server (:data:`lab.cloud.KINDS`)
    :ivar do: migrates it and looks; returns when the rest goes by itself
    :ivar moves: how often it is migrated, there and back
    :ivar around: what is otherwise in the hosts meanwhile
    """

    name: str
    what: str
    kind: str
    do: faults.Inflict
    moves: int = 1
    around: Around = changes.nothing

    @property
    def devices(self) -> int:
        """How many pass-through ports the server has."""
        return 2 if 'apart' in self.kind.split('+') else 1

    @property
    def fault(self) -> faults.Fault:
        return faults.Fault(
            self.what, self.do, (outcome.MOVED,), title='A trial'
        )


FAILOVER, BOND = 'failover', 'bond'
# Those with the same server and the same hosts follow each other.
TRIALS = (
    *(
        Trial(
            f'spoof-{kind}',
            'the guest forges addresses, with port security',
            f'{kind}+guarded',
            standing.forges(guarded=True),
        )
        for kind in (FAILOVER, BOND)
    ),
    Trial(
        'unguarded-failover',
        'the guest forges addresses, without port security',
        FAILOVER,
        standing.forges(guarded=False),
    ),
    *(
        trial
        for kind in (FAILOVER, BOND)
        for trial in (
            Trial(
                f'dhcp-{kind}',
                'the guest renews its lease over the standby',
                kind,
                standing.renews,
            ),
            Trial(
                f'reboot-{kind}',
                'the guest has rebooted by itself',
                kind,
                standing.reboots,
            ),
        )
    ),
    *(
        Trial(
            f'two_pairs-{kind}',
            'a server with two pairs',
            f'{kind}+apart',
            standing.moves_both,
            moves=2,
        )
        for kind in (FAILOVER, BOND)
    ),
    Trial(
        'vlan-failover',
        'a network with a VLAN',
        f'{FAILOVER}+vlan',
        standing.is_tagged,
    ),
    *(
        Trial(
            f'second_nic-{kind}',
            'standbys on another NIC',
            kind,
            standing.sends_by(network.SECOND),
            around=changes.second_nic,
        )
        for kind in (FAILOVER, BOND)
    ),
    Trial(
        'second_bridge-failover',
        'standbys on a bridge over another NIC',
        FAILOVER,
        standing.sends_by(network.SECOND),
        around=changes.second_bridge,
    ),
    Trial(
        'own_bridge-failover',
        'standbys on a bridge over the PF',
        FAILOVER,
        standing.sends_by(network.DATA),
        around=changes.own_bridge,
    ),
    Trial(
        'autoprobe-failover',
        'the hosts use the VFs that no guest has',
        FAILOVER,
        standing.move,
        moves=2,
        around=changes.autoprobe,
    ),
)


def choose(names: collections.abc.Collection[str]) -> list[Trial]:
    """Return the trials of some names, with or without their kind, or all.

    :raises shell.Failed: one names none
    """
    known = [trial.name for trial in TRIALS]
    chosen = []
    for name in names or known:
        found = [t for t in TRIALS if name in (t.name, t.name.split('-')[0])]
        if not found:
            raise shell.Failed(
                f'no trial {name}; there are {", ".join(known)}'
            )
        chosen += found
    return chosen
