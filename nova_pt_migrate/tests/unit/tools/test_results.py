# SPDX-License-Identifier: Apache-2.0

import datetime
import io
import pathlib
import tempfile
import unittest

import rich.console
from testtools import content
from testtools import content_type

from tools.runner import results
from tools.runner import screen

BEGUN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def result(status: str, seconds: float = 0.0, **details: str):
    return results.Result(f'm.A.{status}', status, seconds, details)


class ReadTest(unittest.TestCase):
    def _read(self, stop: datetime.datetime | None) -> results.Result:
        log = content.text_content('one\ntwo\n')
        core = content.Content(
            content_type.ContentType('application', 'octet-stream'),
            lambda: [b'\xff'],
        )
        details = {
            'traceback': content.text_content('Traceback ...'),
            'pythonlogging:\'\'': log,
            'core': core,
        }
        return results.read(
            {
                'id': 'm.A.a',
                'status': 'fail',
                'tags': set(),
                'details': details,
                'timestamps': [BEGUN, stop],
            }
        )

    def test_a_failure(self):
        read = self._read(BEGUN + datetime.timedelta(seconds=2.5))
        self.assertTrue(read.failed)
        self.assertEqual(2.5, read.seconds)
        self.assertEqual('Traceback ...', read.output)
        self.assertEqual('one\ntwo', read.log)

    def test_several_details_have_their_names(self):
        self.assertEqual(
            'stacks:\nin wait\n\ntraceback:\nTookTooLong',
            result('fail', traceback='TookTooLong\n', stacks='in wait').output,
        )

    def test_the_reason_is_the_last_line_of_the_traceback(self):
        failed = result(
            'fail', traceback='Traceback\n  ...\nValueError: x\n', zz='later'
        )
        self.assertEqual('ValueError: x', failed.reason)
        self.assertEqual('it hangs', result('fail', why='it hangs').reason)
        self.assertEqual(
            results.REASON, len(result('fail', traceback='x' * 999).reason)
        )
        self.assertEqual('nothing was said', result('fail').reason)

    def test_it_has_not_ended(self):
        self.assertEqual(0.0, self._read(None).seconds)


class TallyTest(unittest.TestCase):
    def test_each_status_counts_once(self):
        tally = results.Tally(
            [
                result(status)
                for status in (
                    *('success', 'xfail', 'skip'),
                    *('fail', 'uxsuccess', 'inprogress'),
                )
            ]
        )
        self.assertEqual(
            (2, 3, 1), (tally.passed, tally.failed, tally.skipped)
        )

    def test_what_has_not_run_has_failed(self):
        tally = results.Tally([result('success')], ['why'], ['m.A.b', 'm.A.c'])
        self.assertEqual(3, tally.failed)

    def test_the_slowest(self):
        tally = results.Tally(
            [result('success', seconds) for seconds in (1.0, 3.0, 2.0)]
        )
        self.assertEqual(
            [3.0, 2.0], [found.seconds for found in tally.slowest(2)]
        )

    def test_the_last_line(self):
        tallies = [results.Tally([result('success'), result('skip')])] * 2
        self.assertEqual(
            'tests: 2 passed, 0 failed, 2 skipped', results.closing(tallies)
        )


class FailureTest(unittest.TestCase):
    def test_its_log_is_in_the_file_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            shown = io.StringIO()
            console = rich.console.Console(file=shown, soft_wrap=True)
            show = screen.Screen(pathlib.Path(folder) / 'log', console)
            self.addCleanup(show.file.close)
            show.failure(
                result('fail', pythonlogging='one\ntwo', reason='[red] it is')
            )
            log = show.path.read_text()
        self.assertIn('FAILED m.A.fail', shown.getvalue())
        self.assertIn('(2 lines of its log are in', shown.getvalue())
        self.assertIn('[red] it is', shown.getvalue())
        self.assertNotIn('two', shown.getvalue())
        self.assertIn('one\ntwo', log)
        self.assertIn('[red] it is', log)


class ProgressTest(unittest.TestCase):
    def test_a_line(self):
        state = screen.Progress(3, 10, 1, 125.0, [('m.A.test_a', 4.4)])
        self.assertEqual(
            '3 of 10, 1 failed, 1:02 gone, about 2:05 left: test_a (4 s)',
            state.line(62.0),
        )

    def test_before_the_tests_are_known(self):
        state = screen.Progress(0, 0, 0, 0.0, [])
        self.assertEqual('finding the tests, 0:03 gone', state.line(3.0))
