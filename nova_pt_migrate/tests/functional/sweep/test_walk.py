# SPDX-License-Identifier: Apache-2.0
"""Servers go back and forth, and with each migration something fails."""

import os
import random

import ddt

from nova_pt_migrate.tests.functional.sweep import steps
from nova_pt_migrate.tests.functional.sweep import sweeping

LENGTH = 'PT_WALK'
"""The variable for how many migrations there are."""
SEED = 'PT_WALK_SEED'
"""The variable for what the random choices begin with."""
FEW = 3
FAILING = 0.3
"""The share of migrations that libvirt fails."""
CASES = [
    sweeping.Case(1, pairing='bond'),
    sweeping.Case(2),
    sweeping.Case(2, volume=True, pairing='failover'),
]


@ddt.ddt
class WalkTest(sweeping.Sweeping):
    """One server after the other; what one migration left meets the next."""

    @ddt.data(1, 2)
    def test_faults_at_a_time(self, count: int) -> None:
        seed = os.environ.get(SEED) or str(random.randrange(2**32))
        choose = random.Random(f'{seed} {count}')
        servers = [sweeping.One.boot(self, case) for case in CASES]
        known: dict[tuple[sweeping.Case, bool], list[steps.Step]] = {}
        for self.one in servers:
            for self.breaks in (False, True):
                known[self.one.case, self.breaks] = sorted(self.record())
        for number in range(int(os.environ.get(LENGTH, FEW))):
            self.one = choose.choice(servers)
            self.breaks = choose.random() < FAILING
            todo = choose.sample(known[self.one.case, self.breaks], count)
            self.attempt(
                [(step, choose.choice(list(steps.How))) for step in todo],
                f'seed {seed}, migration {number}',
            )
        # Whatever befell the others, each server is whole.
        for one in servers:
            one.check(self)
        self.assertEqual([], self.problems(), f'seed {seed}')
