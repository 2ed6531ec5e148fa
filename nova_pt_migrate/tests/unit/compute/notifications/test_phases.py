# SPDX-License-Identifier: Apache-2.0

import fixtures
import testtools

from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.core import phase_names


class TestPhase(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def lines(self) -> list[str]:
        return self.log.output.splitlines()

    def test_begin_and_end_are_one_line_each(self) -> None:
        with phases.phase(
            phase_names.PhaseName.UNPLUG, 's', 'm', ['0000:81:10.2']
        ):
            self.assertEqual(1, len(self.lines()))
        begin, end = self.lines()
        self.assertEqual(
            'pt_migrate phase=unplug event=start server=s migration=m '
            'devices=0000:81:10.2',
            begin,
        )
        self.assertTrue(end.endswith('result=ok'))

    def test_what_went_wrong_is_the_result(self) -> None:
        with phases.phase(phase_names.PhaseName.PLUG, 's', None) as phase:
            phase.fail(phase_names.Result.PLUG_FAILED, {})
        self.assertIn('migration=- ', self.lines()[1])
        self.assertTrue(self.lines()[1].endswith('result=plug_failed'))

    def test_an_error_is_named_and_goes_on(self) -> None:
        def fail() -> None:
            with phases.phase(phase_names.PhaseName.MOVE, 's', 'm'):
                raise KeyError('x')

        self.assertRaises(KeyError, fail)
        self.assertTrue(self.lines()[1].endswith('result=KeyError'))
