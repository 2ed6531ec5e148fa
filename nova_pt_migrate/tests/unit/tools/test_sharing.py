# SPDX-License-Identifier: Apache-2.0

import unittest

from tools.runner import sharing


class ExpectedTest(unittest.TestCase):
    def test_what_was_recorded(self):
        times = {'m.A.a': 4.0, 'm.A.b': 2.0, 'm.B.gone': 9.0}
        self.assertEqual(
            {'m.A.a': 4.0, 'm.A.b': 2.0, 'm.A.new': 3.0},
            sharing.expected(['m.A.a', 'm.A.b', 'm.A.new'], times, 7.0),
        )

    def test_no_test_takes_no_time(self):
        self.assertEqual(
            {'m.A.a': sharing.LEAST},
            sharing.expected(['m.A.a'], {'m.A.a': 0.0001}, 7.0),
        )

    def test_nothing_was_recorded(self):
        self.assertEqual(
            {'m.A.a': 7.0}, sharing.expected(['m.A.a'], {}, guess=7.0)
        )


class GroupsTest(unittest.TestCase):
    def test_the_slowest_come_first(self):
        seconds = {'m.A.a': 1.0, 'm.B.a': 3.0, 'm.C.a': 2.0}
        self.assertEqual(
            [['m.B.a'], ['m.C.a'], ['m.A.a']], sharing.groups(seconds, 1)
        )

    def test_a_class_stays_together_where_it_is_quick(self):
        seconds = {'m.A.a': 1.0, 'm.A.b': 1.0, 'm.B.a': 90.0}
        self.assertEqual(
            [['m.B.a'], ['m.A.a', 'm.A.b']], sharing.groups(seconds, 2)
        )

    def test_a_slow_class_is_split(self):
        seconds = {f'm.A.test_{number}': 12.0 for number in range(100)}
        groups = sharing.groups(seconds, 2)
        self.assertEqual({2}, {len(group) for group in groups})
        self.assertEqual(list(seconds), [test for g in groups for test in g])

    def test_few_tests_are_shared_by_all_workers(self):
        seconds = {f'm.A.test_{number}': 0.1 for number in range(6)}
        self.assertEqual(6, len(sharing.groups(seconds, 6)))

    def test_none(self):
        self.assertEqual([], sharing.groups({}, 2))

    def test_the_class_of_a_scenario(self):
        self.assertEqual(
            'm.A', sharing.class_of('m.A.test_a(libvirt 11.3, no agent)')
        )


class NamedTest(unittest.TestCase):
    def test_few(self):
        self.assertEqual(['m.A.a', 'm.B.a'], sharing.named(['m.A.a', 'm.B.a']))

    def test_many(self):
        tests = [f'm.A.test_{number}' for number in range(30)]
        self.assertEqual(
            ['30 of m.A', '1 of m.B'], sharing.named([*tests, 'm.B.a'])
        )


class LeftTest(unittest.TestCase):
    def test_all_workers_share_it(self):
        self.assertEqual(
            15.0, sharing.left(50.0, 20.0, [4.0, 6.0], gone=10.0, workers=2)
        )

    def test_one_test_outlasts_the_others(self):
        self.assertEqual(
            40.0, sharing.left(62.0, 0.0, [2.0, 40.0], gone=10.0, workers=2)
        )

    def test_a_slow_machine(self):
        self.assertEqual(
            30.0, sharing.left(30.0, 20.0, [], gone=15.0, workers=2)
        )

    def test_at_the_begin_it_goes_as_recorded(self):
        self.assertEqual(
            10.0, sharing.left(20.0, 20.0, [], gone=0.0, workers=2)
        )

    def test_nothing(self):
        self.assertEqual(0.0, sharing.left(0.0, 0.0, [], 0.0, 2))
