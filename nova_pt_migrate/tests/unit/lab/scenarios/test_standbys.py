# SPDX-License-Identifier: Apache-2.0

import contextlib
import dataclasses
import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.judge import outcome
from lab.judge import record
from lab.observe import facts
from lab.scenarios import fault_run
from lab.scenarios import journey
from lab.scenarios import standby_acts
from lab.scenarios import standby_cases
from lab.scenarios import standbys
from nova_pt_migrate.tests.unit.lab import synthetic

BAD = record.Check('it is whole', False, 'no')


class ScenarioTest(unittest.TestCase):
    """The scenario in a lab where each trial ends as it is told to."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.said: list[str] = []
        self.failing = ''
        server = facts.Server('uuid', '10.9.0.50', (synthetic.MAC,))
        for target, name, double in (
            (journey, 'boot', lambda *_: self.said.append('booted') or server),
            (journey, 'delete', lambda *_: self.said.append('deleted')),
            (journey, 'home', None),
            (journey, 'say', None),
            (journey, 'probing', lambda way: contextlib.nullcontext()),
            (fault_run, 'run', self._run),
        ):
            self.enterContext(
                mock.patch.object(
                    target, name, autospec=True, side_effect=double
                )
            )
        there = standby_cases.Trial(
            'there', 'nothing', 'failover', standby_acts.move, 2, self._room
        )
        again = dataclasses.replace(there, name='again', moves=1)
        other = dataclasses.replace(again, name='other', kind='bond')
        self.enterContext(
            mock.patch.object(standby_cases, 'TRIALS', (there, other, again))
        )

    @contextlib.contextmanager
    def _room(self, setup):
        self.said.append('changed')
        try:
            yield
        finally:
            self.said.append('put back')

    def _run(self, name, fault, way):
        self.said.append(name)
        checks = (BAD,) if name == self.failing else ()
        return outcome.Outcome(
            name,
            outcome.MOVED,
            fault.allowed,
            '',
            dataclasses.replace(synthetic.move(), checks=checks),
            (record.Check('frames', True, '7 by dt1'),),
        )

    def test_a_server_is_used_again_and_deleted(self):
        self.assertEqual(0, standbys.run(settings.load(), self.folder))
        self.assertEqual(
            ['changed', 'booted', 'there-1', 'there-2', 'again-1', 'deleted',
             'put back', 'changed', 'booted', 'other-1', 'deleted',
             'put back'],
            self.said,
        )  # fmt: skip
        text = (self.folder / 'standbys.txt').read_text()
        self.assertIn('there-2: passed', text)
        self.assertIn('    7 by dt1\n', text)

    def test_one_that_is_not_whole_is_kept_and_moves_no_more(self):
        self.failing = 'there-1'
        self.assertEqual(1, standbys.run(settings.load(), self.folder))
        self.assertEqual(
            ['changed', 'booted', 'there-1', 'booted', 'again-1', 'deleted',
             'put back'],
            self.said[:7],
        )  # fmt: skip
        text = (self.folder / 'standbys.txt').read_text()
        self.assertIn('there-1: FAILED', text)
        self.assertIn('it is whole: no', text)

    def test_a_wrong_name_is_told_with_those_that_there_are(self):
        with self.assertRaisesRegex(shell.Failed, 'are there, other, again'):
            standbys.run(settings.load(), self.folder, ['ther'])
        self.assertEqual([], self.said)

    def test_a_name_without_kind_names_all_kinds(self):
        one, two = (
            standby_cases.Trial(f'one-{kind}', '', kind, standby_acts.move)
            for kind in ('failover', 'bond')
        )
        with mock.patch.object(standby_cases, 'TRIALS', (one, two)):
            self.assertEqual([one, two], standby_cases.choose(['one']))
            self.assertEqual([two], standby_cases.choose(['one-bond']))
