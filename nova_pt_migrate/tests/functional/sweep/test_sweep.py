# SPDX-License-Identifier: Apache-2.0
"""Every call of ours in a migration fails once, in every way."""

from collections.abc import Iterator
import contextlib
import itertools
import zlib

import ddt

from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional.sweep import servers
from nova_pt_migrate.tests.functional.sweep import steps
from nova_pt_migrate.tests.functional.sweep import sweeping

PARTS = range(12)
"""Into how many tests each case is cut."""
SHARES = range(4)
"""Among how many tests the faults are dealt that are met once."""
SAMPLE = 160
"""One of so many faults is in the sample."""

Whole = tuple[servers.Case, bool, sweeping.Way]
"""What migrates, whether the instance path is shared, and how it goes."""
CASES: list[Whole] = [
    (case, shared, way)
    for case, shared in (
        (servers.Case(1), True),
        (servers.Case(2, False, 'failover'), False),
        (servers.Case(1, True, 'bond'), False),
        (servers.Case(2, True), True),
        (servers.Case(0, aliases=1, ordinary=1), True),
        (servers.Case(1, False, 'failover', 1, 1), False),
    )
    for way in sweeping.ways(case)
]


def number(step: steps.Step, how: steps.How) -> int:
    """Return the same number for a fault each time."""
    return zlib.crc32(f'{step} {how.name}'.encode())


@ddt.ddt
class SweepTest(sweeping.Sweeping):
    """Each part records a migration, and lets its share of it fail."""

    def sweep(self, case: Whole, one: int, of: int) -> None:
        with self.serving(case):
            faults = [
                fault for fault in self.faults() if number(*fault) % of == one
            ]
            self.attempt_all(case, faults)
        self.assertEqual([], self.problems())

    @contextlib.contextmanager
    def serving(self, case: Whole) -> Iterator[None]:
        """Have a server of the case in the context."""
        what, shared, self.way = case
        with contextlib.ExitStack() as stack:
            if not shared:
                stack.enter_context(base.OwnInstancePaths())
            self.one = servers.One.boot(self, what)
            yield
            self.one.forget(self)

    def faults(self) -> list[sweeping.Fault]:
        """Migrate without one, and return all that there may be."""
        found = sorted(set(self.record()))
        if self.way is sweeping.Way.MOVES:
            found += [*steps.phases('source'), *steps.phases('destination')]
        return [(step, how) for step in found for how in steps.ways(step)]

    def attempt_all(self, case: Whole, faults: list[sweeping.Fault]) -> None:
        _, shared, _ = case
        for fault in faults:
            self.attempt([fault], 'shared path' if shared else 'own paths')

    @ddt.data(*([] if sweeping.HOW_MUCH else CASES))
    def test_sample(self, case: Whole) -> None:
        self.sweep(case, CASES.index(case), SAMPLE)

    @ddt.data(
        *itertools.product(CASES if sweeping.HOW_MUCH == 'all' else [], PARTS)
    )
    @ddt.unpack
    def test_part(self, case: Whole, part: int) -> None:
        self.sweep(case, part, len(PARTS))

    @ddt.data(*(SHARES if sweeping.HOW_MUCH == 'once' else []))
    def test_share(self, share: int) -> None:
        cases: dict[sweeping.Fault, list[Whole]] = {}
        for case in CASES:
            with self.serving(case):
                for fault in self.faults():
                    cases.setdefault(fault, []).append(case)
        dealt: dict[Whole, list[sweeping.Fault]] = {}
        for fault, those in cases.items():
            turn, whose = divmod(number(*fault), len(SHARES))
            if whose == share:
                case = those[turn % len(those)]
                dealt.setdefault(case, []).append(fault)
        for case, faults in dealt.items():
            with self.serving(case):
                self.attempt_all(case, faults)
        self.assertEqual([], self.problems())
