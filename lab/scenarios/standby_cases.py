# SPDX-License-Identifier: Apache-2.0
"""The trials of standbys: which server, on which hosts, and what it does."""

import collections.abc
import contextlib
import dataclasses

from lab import settings
from lab import shell
from lab.hosts import changes
from lab.judge import outcome
from lab.network import namespace
from lab.scenarios import fault_run
from lab.scenarios import flaps
from lab.scenarios import standby_acts

Around = collections.abc.Callable[
    [settings.Settings], contextlib.AbstractContextManager[None]
]


@dataclasses.dataclass(frozen=True)
class Trial:
    """A server that is migrated in special circumstances.

    :ivar kind: of the server (:data:`lab.cloud.client.KINDS`)
    :ivar do: migrates it and observes; returns when the rest goes by itself
    :ivar moves: how often it is migrated, there and back
    :ivar around: what is otherwise in the hosts meanwhile
    """

    name: str
    what: str
    kind: str
    do: fault_run.Inflict
    moves: int = 1
    around: Around = changes.nothing

    @property
    def devices(self) -> int:
        """How many pass-through ports the server has."""
        return 2 if 'apart' in self.kind.split('+') else 1

    @property
    def fault(self) -> fault_run.Fault:
        return fault_run.Fault(
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
            standby_acts.forges(guarded=True),
        )
        for kind in (FAILOVER, BOND)
    ),
    Trial(
        'unguarded-failover',
        'the guest forges addresses, without port security',
        FAILOVER,
        standby_acts.forges(guarded=False),
    ),
    *(
        trial
        for kind in (FAILOVER, BOND)
        for trial in (
            Trial(
                f'dhcp-{kind}',
                'the guest renews its lease over the standby',
                kind,
                standby_acts.renews,
            ),
            Trial(
                f'reboot-{kind}',
                'the guest has rebooted by itself',
                kind,
                standby_acts.reboots,
            ),
        )
    ),
    *(
        Trial(
            f'two_pairs-{kind}',
            'a server with two pairs',
            f'{kind}+apart',
            standby_acts.moves_both,
            moves=2,
        )
        for kind in (FAILOVER, BOND)
    ),
    Trial(
        'vlan-failover',
        'a network with a VLAN',
        f'{FAILOVER}+vlan',
        standby_acts.is_tagged,
    ),
    *(
        Trial(
            f'second_nic-{kind}',
            'standbys on another NIC',
            kind,
            standby_acts.sends_by(namespace.SECOND),
            around=changes.second_nic,
        )
        for kind in (FAILOVER, BOND)
    ),
    *(
        Trial(
            f'{name}-{kind}',
            f'the PF is off for a while{", and a reboot" if boots else ""}',
            kind,
            flaps.survives(boots),
            around=changes.second_nic,
        )
        for kind in (FAILOVER, BOND)
        for name, boots in (('flap', False), ('flap_reboot', True))
    ),
    Trial(
        'second_bridge-failover',
        'standbys on a bridge over another NIC',
        FAILOVER,
        standby_acts.sends_by(namespace.SECOND),
        around=changes.second_bridge,
    ),
    Trial(
        'own_bridge-failover',
        'standbys on a bridge over the PF',
        FAILOVER,
        standby_acts.sends_by(namespace.DATA),
        around=changes.own_bridge,
    ),
    Trial(
        'autoprobe-failover',
        'the hosts use the VFs that no guest has',
        FAILOVER,
        standby_acts.move,
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
                f'no trial of standbys {name}; there are {", ".join(known)}'
            )
        chosen += found
    return chosen
