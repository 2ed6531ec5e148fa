# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.compute.traffic import readiness


class TestLooks(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.seconds = 1000.0
        self.looks = readiness.ReadinessCache(lambda: self.seconds)
        self.looked: list[tuple[str, str]] = []

    def of(
        self, request: str = 'req-1', server: str = 'one', lasts: float = 0.0
    ) -> readiness.Findings:
        def look() -> readiness.Findings:
            self.looked.append((request, server))
            self.seconds += lasts
            return readiness.Findings([f'not ready, {len(self.looked)}'])

        return self.looks.of(request, server, look)

    def test_one_look_for_all_hosts_of_a_request(self) -> None:
        found = self.of()
        self.seconds += readiness.LASTING - 1
        self.assertEqual(found, self.of())
        self.assertEqual([('req-1', 'one')], self.looked)

    def test_another_request_and_another_server_are_looked_at(self) -> None:
        found = self.of()
        self.assertNotEqual(found, self.of('req-2'))
        self.assertNotEqual(found, self.of(server='two'))
        self.assertEqual(found, self.of())

    def test_an_old_one_is_not_good(self) -> None:
        found = self.of()
        self.seconds += readiness.LASTING
        self.assertNotEqual(found, self.of())
        self.assertEqual(2, len(self.looked))

    def test_age_begins_with_the_look(self) -> None:
        found = self.of(lasts=readiness.LASTING)
        self.assertNotEqual(found, self.of())

    def test_the_oldest_go(self) -> None:
        for number in range(readiness.MOST + 1):
            self.of(f'req-{number}')
        self.looked.clear()
        self.of('req-1')
        self.assertEqual([], self.looked)
        self.of('req-0')
        self.assertEqual([('req-0', 'one')], self.looked)

    def test_one_that_is_looked_at_again_is_not_the_oldest(self) -> None:
        self.of('req-0')
        self.of('req-1')
        self.seconds += readiness.LASTING
        self.of('req-0')
        for number in range(2, readiness.MOST + 1):
            self.of(f'req-{number}')
        self.looked.clear()
        self.of('req-0')
        self.assertEqual([], self.looked)

    def test_a_look_that_fails_is_not_kept(self) -> None:
        def fail() -> readiness.Findings:
            raise RuntimeError('no answer')

        self.assertRaises(RuntimeError, self.looks.of, 'req-1', 'one', fail)
        self.of()
        self.assertEqual(1, len(self.looked))
