# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.compute.claims import open_ends


class TestOpenEnds(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0
        self.ends = open_ends.OpenEnds(10.0, lambda: self.now)

    def due(self) -> list[str]:
        return [server for server, _ in self.ends.due()]

    def put_off(self) -> float:
        """Put the one off that is due; return the seconds until it is."""
        ((server, number),) = self.ends.due()
        self.ends.put_off(server, number)
        before = self.now
        while not self.due():
            self.now += 1.0
        return self.now - before

    def test_what_is_noted_is_due_until_it_has_ended(self) -> None:
        self.assertEqual([], self.due())
        self.ends.note('b')
        self.ends.note('a')
        self.assertEqual(['a', 'b'], self.due())
        for server, number in self.ends.due():
            self.ends.end(server, number)
        self.assertEqual([], self.due())
        self.assertFalse(self.ends.has('a'))

    def test_each_time_it_is_put_off_for_longer(self) -> None:
        self.ends.note('a')
        self.assertEqual(
            [10, 20, 40, 80, 160, 300, 300], [self.put_off() for _ in range(7)]
        )

    def test_one_does_not_wait_for_another(self) -> None:
        self.ends.note('a')
        self.put_off()
        self.put_off()
        self.ends.put_off(*self.ends.due()[0])
        self.ends.note('b')
        self.assertEqual(['b'], self.due())
        self.assertTrue(self.ends.has('a'))

    def test_what_is_noted_again_is_due_now(self) -> None:
        self.ends.note('a')
        self.put_off()
        self.ends.put_off(*self.ends.due()[0])
        self.ends.note('a')
        self.assertEqual(['a'], self.due())
        self.assertEqual(10, self.put_off())

    def test_what_is_noted_while_it_is_looked_at_stays(self) -> None:
        self.ends.note('a')
        ((server, number),) = self.ends.due()
        self.ends.note('a')
        self.ends.end(server, number)
        self.ends.put_off(server, number)
        self.assertEqual(['a'], self.due())

    def test_one_may_wait_from_the_begin(self) -> None:
        self.ends.note('a', after=5.0)
        self.assertEqual([], self.due())
        self.now += 5.0
        self.assertEqual(['a'], self.due())
