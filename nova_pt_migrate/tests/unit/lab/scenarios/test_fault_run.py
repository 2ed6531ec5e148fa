# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.hosts import machine
from lab.judge import outcome
from lab.observe import facts
from lab.scenarios import fault_run
from lab.scenarios import journey
from nova_pt_migrate.tests.unit.lab import synthetic


class RunTest(unittest.TestCase):
    """A fault in a lab that only shows a server which has moved."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        whole = synthetic.facts('cmp2')
        seen = {'host': 'cmp1', 'migrations': [], 'events': []}
        for target, name, result in (
            (facts, 'cloud', seen),
            (facts, 'collect', (whole, seen)),
            (facts, 'read_phases', ()),
            (machine, 'ssh', '0'),
            (journey, 'machine_said', 'nowhere'),
            (journey, 'say', None),
        ):
            self.enterContext(
                mock.patch.object(
                    target, name, autospec=True, return_value=result
                )
            )

    def _run(self, inflict: fault_run.Inflict) -> outcome.Outcome:
        fault = fault_run.Fault('nothing', inflict, (outcome.MOVED,))
        server = facts.Server('uuid', '10.9.0.50', (synthetic.MAC,))
        way = journey.Journey(settings.load(), self.folder, server, 20)
        return fault_run.run('nothing', fault, way)

    def test_a_whole_server_passes_and_has_a_report(self):
        self.assertTrue(self._run(lambda case: None).passed)
        page = (self.folder / 'report.html').read_text()
        self.assertIn('A fault: nothing', page)

    def test_a_fault_that_could_not_be_inflicted_fails(self):
        def inflict(case: fault_run.Case) -> None:
            raise shell.Failed('no such domain')

        came = self._run(inflict)
        self.assertEqual(outcome.MOVED, came.end)
        self.assertFalse(came.passed)
        self.assertIn('no such domain', came.line())

    def test_what_was_seen_on_the_way_counts(self):
        def inflict(case: fault_run.Case) -> None:
            case.check('no VF was asked for', False)

        came = self._run(inflict)
        self.assertFalse(came.passed)
        (figures,) = json.loads(outcome.to_json([came]))
        self.assertEqual({'no VF was asked for': 'False'}, figures['seen'])
