# SPDX-License-Identifier: Apache-2.0
"""Servers go back and forth, and with each migration something fails."""

import os
import random

import ddt

from nova_pt_migrate.tests.functional.sweep import servers
from nova_pt_migrate.tests.functional.sweep import steps
from nova_pt_migrate.tests.functional.sweep import sweeping

LENGTH = 'PT_WALK'
"""The variable for how many migrations there are."""
SEED = 'PT_WALK_SEED'
"""The variable for what the random choices begin with."""
FEW = 3
SHARES = {
    sweeping.Way.MOVES: 0.45,
    sweeping.Way.POST_COPY: 0.15,
    sweeping.Way.FAILS: 0.25,
    sweeping.Way.UNPREPARED: 0.15,
}
"""Of all migrations, by how they go without a fault."""
CASES = [
    servers.Case(1, pairing='bond'),
    servers.Case(2),
    servers.Case(2, volume=True, pairing='failover'),
    servers.Case(1, aliases=1, ordinary=1),
]


@ddt.ddt
class WalkTest(sweeping.Sweeping):
    """One server after the other; what one migration left meets the next."""

    @ddt.data(1, 2)
    def test_faults_at_a_time(self, count: int) -> None:
        seed = os.environ.get(SEED) or str(random.randrange(2**32))
        choose = random.Random(f'{seed} {count}')
        everyone = [servers.One.boot(self, case) for case in CASES]
        known: dict[tuple[servers.Case, sweeping.Way], list[steps.Step]] = {}
        for one in everyone:
            self.one = one
            for self.way in sweeping.ways(one.case):
                known[one.case, self.way] = sorted(self.record())
        for number in range(int(os.environ.get(LENGTH, FEW))):
            self.one = choose.choice(everyone)
            ways = sweeping.ways(self.one.case)
            (self.way,) = choose.choices(ways, [SHARES[way] for way in ways])
            todo = choose.sample(known[self.one.case, self.way], count)
            self.attempt(
                [(step, choose.choice(steps.ways(step))) for step in todo],
                f'seed {seed}, migration {number}',
            )
        self.assertEqual([], self.problems(), f'seed {seed}')
        # Whatever befell the others, each server is whole.
        for one in everyone:
            one.check(self)
