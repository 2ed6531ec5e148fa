# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any

import fixtures
import testtools

from nova_pt_migrate.compute.pairs import choices
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import notice
from nova_pt_migrate.core import errors
from nova_pt_migrate.tests.unit.compute.server import test_bringing
from nova_pt_migrate.tests.unit.core import fakes


def server(**extra: str) -> Any:
    return types.SimpleNamespace(
        uuid='the-server',
        flavor=types.SimpleNamespace(
            extra_specs={f'pt_migrate:{k}': v for k, v in extra.items()}
        ),
    )


class TestNotice(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.domain = fakes.Domain([1, 2])
        self.departure = departures.Departure()
        self.reporter = test_bringing.Reporter()

    def give(self, *numbers: int, paired: Any = (), **extra: str) -> None:
        notice.Notice(
            server(**extra),
            self.domain,
            test_bringing.SETTINGS,
            paired,
            clock=self.domain.clock,
            reporter=self.reporter,
        ).give(
            [
                {**test_bringing.vif(n), 'address': f'fa:16:3e:00:00:0{n}'}
                for n in numbers
            ],
            'm',
            self.departure,
        )

    def test_it_says_what_will_be_asked_for_and_how_long_it_takes(
        self,
    ) -> None:
        self.give(1, 2, notice='20')
        (phase,) = self.reporter.begun
        self.assertEqual(
            'The guest will be asked in 20 s for devices that have no '
            'standby, and has 30 s then to release them: ports port-1 '
            '(fa:16:3e:00:00:01), port-2 (fa:16:3e:00:00:02)',
            phase.text,
        )
        self.assertEqual(('0000:81:10.1', '0000:81:10.2'), phase.devices)
        self.assertEqual('ok', phase.result)
        self.assertEqual(20.0, self.domain.now)
        self.assertEqual([], self.domain.requests)

    def test_without_a_time_it_is_told_all_the_same(self) -> None:
        self.give(1)
        (phase,) = self.reporter.ended
        self.assertIn('asked now for', phase.text)
        self.assertEqual(0.0, self.domain.now)

    def test_devices_with_a_standby_need_none(self) -> None:
        self.give(1, 2, paired={'port-1', 'port-2'}, notice='20')
        self.assertEqual([], self.reporter.begun)
        self.assertEqual(0.0, self.domain.now)
        self.give(1, 2, paired={'port-1'}, notice='20')
        (phase,) = self.reporter.begun
        self.assertEqual(('0000:81:10.2',), phase.devices)
        self.assertNotIn('port-1', phase.text)

    def test_an_abort_ends_it(self) -> None:
        wait = self.domain.wait

        def aborted(seconds: float) -> Any:
            self.departure.aborted = self.departure.stopped = True
            return wait(3.0)

        self.domain.wait = aborted  # type: ignore[method-assign]
        self.assertRaises(errors.Aborted, self.give, 1, notice='20')
        self.assertEqual(3.0, self.domain.now)
        (phase,) = self.reporter.ended
        self.assertEqual('aborted', phase.result)
        self.assertEqual([], self.domain.requests)

    def test_an_abort_that_came_before(self) -> None:
        self.departure.abort()
        self.assertRaises(errors.Aborted, self.give, 1, notice='20')
        self.assertEqual(0.0, self.domain.now)

    def test_what_is_no_number_of_seconds_is_passed_over(self) -> None:
        for word in ('soon', '-1', '1.5', '601', '', '9' * 99, '５'):
            self.assertEqual(0, choices.notice(server(notice=word)), word)
        self.assertIn('no number from 0 to 600', self.log.output)
        for number in (0, 600):
            self.assertEqual(
                number, choices.notice(server(notice=str(number)))
            )
