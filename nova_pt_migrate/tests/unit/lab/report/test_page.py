# SPDX-License-Identifier: Apache-2.0

import dataclasses
import html.parser
import json
import pathlib
import tempfile
import unittest

from lab.judge import record
from lab.report import page
from lab.report import tables
from nova_pt_migrate.tests.unit.lab import synthetic


class _Balance(html.parser.HTMLParser):
    """Fails on an element that is closed wrongly or never."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != 'meta':
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


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


class PageTest(unittest.TestCase):
    def test_every_element_is_closed(self):
        balance = _Balance()
        balance.feed(page.render(synthetic.run()))
        balance.close()
        self.assertEqual([], balance.open)
        self.assertEqual(2, balance.seen.count('svg'))

    def test_the_page_needs_nothing_from_elsewhere(self):
        html = page.render(synthetic.run())
        for trace in ('http', 'src=', 'url(', '@import', '<link'):
            self.assertNotIn(trace, html)

    def test_every_lost_window_is_a_band(self):
        html = page.render(synthetic.run())
        self.assertEqual(6, html.count('class="lost"'))

    def test_what_others_wrote_is_escaped(self):
        run = dataclasses.replace(synthetic.run(), title='<script>')
        self.assertNotIn('<script>', page.render(run))

    def test_a_run_without_phases_and_answers_is_still_drawn(self):
        run = synthetic.without_samples(synthetic.run())
        moves = (dataclasses.replace(run.moves[0], phases=()),)
        html = page.render(dataclasses.replace(run, moves=moves))
        self.assertIn('names no phases', html)


class FilesTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_the_figures_read_back_are_the_same(self):
        run = synthetic.run()
        text = record.to_json(run)
        self.assertTrue(json.loads(text)['passed'])
        self.assertEqual(
            synthetic.without_samples(run), record.from_json(text, ())
        )

    def test_each_migration_gets_the_samples_of_its_time(self):
        run = synthetic.run()
        every = run.moves[0].samples + run.moves[1].samples
        back = record.from_json(record.to_json(run), every)
        self.assertGreater(len(back.moves[1].samples), 1000)
        for move in back.moves:
            first, last = move.samples[0].sent, move.samples[-1].sent
            self.assertGreaterEqual(first, move.requested - 5)
            self.assertLessEqual(last, move.finished + move.settled + 5)

    def test_page_text_and_figures_are_written(self):
        path = page.write(synthetic.run(), self.folder)
        self.assertEqual(self.folder / 'report.html', path)
        names = {path.name for path in self.folder.iterdir()}
        self.assertEqual({'run.json', 'report.txt', 'report.html'}, names)
