# SPDX-License-Identifier: Apache-2.0
"""Servers in order cost what they cost with Nova's own driver."""

import unittest

import testtools

from nova_pt_migrate.tests.functional import idle

SIZES = [1, 10]
MINUTES = 3


def measured(kind: type[idle.Idle]) -> list[idle.Load]:
    """Return the loads that a driver makes."""
    found: list[idle.Load] = []

    class Measurement(kind):  # type: ignore[misc, valid-type]
        def measure(self) -> None:
            found.extend(self.loads(SIZES, MINUTES))

    result = unittest.TestResult()
    Measurement('measure').run(result)
    for _, trouble in result.errors + result.failures:
        raise AssertionError(trouble)
    return found


class IdleTest(testtools.TestCase):
    def test_ours_asks_nothing_more_than_stock(self) -> None:
        stock = measured(idle.Stock)
        ours = measured(idle.Ours)
        for kind in ('conductor', 'libvirt'):
            # Else nothing was counted.
            for load in stock:
                self.assertLess(0, idle.Idle.total(load, kind), kind)
        self.assertEqual(stock, ours)
