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
PARTS = range(12)
"""Into how many tests each case is cut."""
SAMPLE = 120
"""One of so many faults is in the sample."""

Whole = tuple[sweeping.Case, bool, bool]
"""What migrates, whether the instance path is shared, and whether it fails."""
CASES: list[Whole] = [
    (sweeping.Case(devices, volume, pairing), shared, breaks)
    for devices, volume, pairing, shared in (
        (1, False, 'none', True),
        (2, False, 'failover', False),
        (1, True, 'bond', False),
        (2, True, 'none', True),
    )
    for breaks in (False, True)
]


def chosen(step: steps.Step, how: steps.How, one: int, of: int) -> bool:
    """Tell whether a fault is in one of so many parts; the same each time."""
    return zlib.crc32(f'{step} {how.name}'.encode()) % of == one


@ddt.ddt
class SweepTest(sweeping.Sweeping):
    """Each part records a migration, and lets its share of it fail."""

    def sweep(self, case: Whole, one: int, of: int) -> None:
        what, shared, self.breaks = case
        if not shared:
            self.unshare_instance_path()
        self.one = sweeping.One.boot(self, what)
        faults = [
            (step, how)
            for step in sorted(set(self.record()))
            for how in steps.How
            if chosen(step, how, one, of)
        ]
        for fault in faults:
            self.attempt([fault], 'shared path' if shared else 'own paths')
        self.assertEqual([], self.problems())

    @ddt.data(*([] if WHOLE in os.environ else CASES))
    def test_sample(self, case: Whole) -> None:
        self.sweep(case, CASES.index(case), SAMPLE)

    @ddt.data(*itertools.product(CASES if WHOLE in os.environ else [], PARTS))
    @ddt.unpack
    def test_part(self, case: Whole, part: int) -> None:
        self.sweep(case, part, len(PARTS))
