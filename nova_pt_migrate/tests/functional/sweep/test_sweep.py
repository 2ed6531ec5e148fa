# SPDX-License-Identifier: Apache-2.0
"""Every call of ours in a migration fails once, in every way."""

import itertools
import os
import zlib

import ddt

from nova_pt_migrate.tests.functional.sweep import steps
from nova_pt_migrate.tests.functional.sweep import sweeping

WHOLE = 'PT_SWEEP'
"""The variable that asks for all of it; a sample is taken without it."""
PARTS = 12
"""Into how many tests each case is cut."""
SAMPLE = 120
"""One of so many faults is in the sample."""
CASES = [
    sweeping.Case(devices, volume, shared, breaks)
    for devices, volume, shared in (
        (1, False, True),
        (2, False, False),
        (1, True, False),
        (2, True, True),
    )
    for breaks in (False, True)
]


def chosen(step: steps.Step, how: steps.How, one: int, of: int) -> bool:
    """Tell whether a fault is in one of so many parts; the same each time."""
    return zlib.crc32(f'{step} {how.name}'.encode()) % of == one


@ddt.ddt
class SweepTest(sweeping.Sweeping):
    """Each part records a migration, and lets its share of it fail."""

    def sweep(self, case: sweeping.Case, one: int, of: int) -> None:
        self.begin_case(case)
        faults = [
            (step, how)
            for step in sorted(set(self.record()))
            for how in steps.How
            if chosen(step, how, one, of)
        ]
        for fault in faults:
            self.attempt([fault])
        self.assertEqual([], self.problems())

    @ddt.data(*CASES)
    def test_sample(self, case: sweeping.Case) -> None:
        if WHOLE in os.environ:
            self.skipTest('all of it is asked for')
        self.sweep(case, CASES.index(case), SAMPLE)

    @ddt.data(*itertools.product(CASES, range(PARTS)))
    @ddt.unpack
    def test_part(self, case: sweeping.Case, part: int) -> None:
        if WHOLE not in os.environ:
            self.skipTest(f'the whole sweep is asked for by {WHOLE}')
        self.sweep(case, part, PARTS)
