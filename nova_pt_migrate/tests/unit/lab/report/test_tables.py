# SPDX-License-Identifier: Apache-2.0

import dataclasses
import unittest

from lab.judge import record
from lab.report import tables
from nova_pt_migrate.tests.unit.lab import synthetic


class TablesTest(unittest.TestCase):
    def test_columns_are_aligned(self):
        laid_out = tables.table(('name', 'seconds'), [('a', '1.5')])
        self.assertEqual(
            ['name  seconds', '-------------', 'a         1.5'],
            laid_out.splitlines(),
        )

    def test_each_phase_shows_its_loss_and_all_comes_last(self):
        rows = tables.phase_rows(synthetic.move())
        self.assertEqual(
            ['look', 'unplug', 'move', 'plug', 'all'],
            [row[0] for row in rows],
        )
        self.assertEqual(
            ('unplug', 'cmp1', '0000:01:10.1', '2.80', 'ok', '10', '0.50'),
            rows[1],
        )
        self.assertEqual(('58.20', 'passed', '108'), rows[-1][3:6])

    def test_loss_outside_the_phases_has_its_own_row(self):
        move = synthetic.move()
        window = record.Window(move.requested, move.requested + 1, 20)
        move = dataclasses.replace(
            move,
            windows=(dataclasses.replace(window, phase='outside'),),
        )
        self.assertIn(
            ('outside', '', '', '', '', '20', '1.00'), tables.phase_rows(move)
        )

    def test_the_loss_of_a_phase_of_many_devices_is_shown_once(self):
        move = synthetic.move()
        plug = move.phases[-1]
        twice = tuple(
            dataclasses.replace(plug, devices=(one,)) for one in 'ab'
        )
        move = dataclasses.replace(move, phases=twice)
        lost = [r[5] for r in tables.phase_rows(move) if r[0] == 'plug']
        self.assertEqual(['66', '0'], lost)

    def test_the_text_ends_with_the_verdict(self):
        self.assertTrue(
            tables.text(synthetic.run()).endswith('Verdict: passed')
        )

    def test_a_failed_check_fails_the_run(self):
        run = synthetic.run()
        bad = record.Check('the guest answers', False, 'no echo')
        moves = (dataclasses.replace(run.moves[0], checks=(bad,)),)
        run = dataclasses.replace(run, moves=moves)
        self.assertFalse(run.passed)
        said = tables.text(run)
        self.assertIn('FAIL the guest answers: no echo', said)
        self.assertTrue(said.endswith('Verdict: failed'))

    def test_a_failed_migration_shows_what_was_said_of_it(self):
        run = synthetic.run()
        bad = record.Check('the guest answers', False, 'no echo')
        event = dataclasses.replace(
            run.moves[0].events[0], result='Error', details='No valid host'
        )
        move = dataclasses.replace(
            run.moves[0],
            checks=(bad,),
            events=(event,),
            said='Progress: 10\nError migrating server',
        )
        said = tables.text(dataclasses.replace(run, moves=(move,)))
        self.assertIn(
            'compute__do_live_migration on cmp1: Error No valid host\n'
            'Error migrating server',
            said,
        )

    def test_a_run_without_a_migration_has_not_passed(self):
        run = dataclasses.replace(synthetic.run(), moves=())
        self.assertFalse(run.passed)
