# SPDX-License-Identifier: Apache-2.0

import dataclasses
import html.parser
import json
import pathlib
import tempfile
import unittest

from lab.judge import record
from lab.report import page
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
