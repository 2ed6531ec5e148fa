# SPDX-License-Identifier: Apache-2.0

import dataclasses
import json
import unittest

from lab.judge import outcome
from lab.judge import record
from lab.judge import verdict
from nova_pt_migrate.tests.unit.lab import synthetic

BOTH = (outcome.MOVED, outcome.STAYED)


def _stayed(migration: str = 'failed') -> verdict.Facts:
    return dataclasses.replace(
        synthetic.facts('cmp1'), migration_status=migration
    )


def _best(found: verdict.Facts, *allowed: outcome.End, **more):
    return outcome.best(found, 'cmp1', 'cmp2', allowed, **more)


class EndTest(unittest.TestCase):
    def test_each_end_is_known_by_host_and_migration(self):
        for found, end in (
            (_stayed(), outcome.STAYED),
            (_stayed('error'), outcome.REFUSED),
            (_stayed('cancelled'), outcome.CANCELLED),
            (synthetic.facts('cmp2'), outcome.MOVED),
        ):
            with self.subTest(str(end)):
                self.assertEqual(end, _best(found, end)[0])
                others = {
                    outcome.STAYED,
                    outcome.REFUSED,
                    outcome.CANCELLED,
                    outcome.MOVED,
                } - {end}
                self.assertIsNone(_best(found, *others)[0])

    def test_any_of_the_ends_allowed_will_do(self):
        self.assertEqual(outcome.STAYED, _best(_stayed(), *BOTH)[0])

    def test_what_is_wrong_is_said_of_the_host_it_is_on(self):
        found = dataclasses.replace(_stayed(), allocations=('cmp1', 'cmp2'))
        end, checks = _best(found, *BOTH)
        self.assertIsNone(end)
        self.assertEqual(
            ['Placement counts the server there and nowhere else'],
            [check.what for check in checks if not check.passed],
        )

    def test_a_deaf_guest_need_not_show_its_vf(self):
        hosts = _stayed().hosts
        mute = dataclasses.replace(hosts['cmp1'], links=())
        found = dataclasses.replace(_stayed(), hosts=hosts | {'cmp1': mute})
        self.assertIsNone(_best(found, outcome.STAYED)[0])
        end, _ = _best(found, outcome.STAYED, seen_by_guest=False)
        self.assertEqual(outcome.STAYED, end)


class DegradedTest(unittest.TestCase):
    def _failed(self, found: verdict.Facts) -> list[str]:
        checks = outcome.judge(
            found, 'cmp1', 'cmp2', outcome.MOVED, degraded=True
        )
        return [check.what for check in checks if not check.passed]

    def test_a_vf_must_be_missing_and_nothing_else(self):
        whole = synthetic.facts('cmp2')
        here = dataclasses.replace(whole.hosts['cmp2'], live=(), links=())
        found = dataclasses.replace(whole, hosts=whole.hosts | {'cmp2': here})
        self.assertEqual([], self._failed(found))
        self.assertEqual(['no VF is in the live XML'], self._failed(whole))
        freed = dataclasses.replace(found, devices=())
        self.assertEqual(['its VFs stay its own'], self._failed(freed))


class OutcomeTest(unittest.TestCase):
    def _came(
        self, end: outcome.End | None, *checks: record.Check
    ) -> outcome.Outcome:
        move = synthetic.move()
        return outcome.Outcome(
            'late', end, BOTH, 'ERROR on cmp1, running',
            dataclasses.replace(move, checks=(*move.checks, *checks)),
        )  # fmt: skip

    def test_one_line_tells_how_it_ended(self):
        self.assertEqual(
            'late: passed; ended destination, completed; allowed '
            'destination, completed or source, failed; 58 s, load 3.1',
            self._came(outcome.MOVED).line(),
        )

    def test_each_failed_check_has_a_line(self):
        bad = record.Check('no VF was asked for', False, 'one was')
        came = self._came(outcome.MOVED, bad)
        self.assertFalse(came.passed)
        first, second = came.line().splitlines()
        self.assertIn('late: FAILED; ended destination', first)
        self.assertEqual('    no VF was asked for: one was', second)

    def test_no_end_allowed_shows_what_was_seen(self):
        came = self._came(None)
        self.assertFalse(came.passed)
        self.assertIn('ended ERROR on cmp1, running', came.line())

    def test_figures_of_all_are_json(self):
        (figures,) = json.loads(outcome.to_json([self._came(outcome.MOVED)]))
        self.assertEqual(
            {
                'fault': 'late',
                'passed': True,
                'ended': 'destination, completed',
                'allowed': ['destination, completed', 'source, failed'],
                'seconds': 58.2,
                'load': 3.1,
                'seen': {},
            },
            figures,
        )
