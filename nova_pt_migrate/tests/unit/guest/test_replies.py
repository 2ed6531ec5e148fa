# SPDX-License-Identifier: Apache-2.0

import json
from typing import Any

import ddt
import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.guest import replies

DEEP = '[' * 100000
HOSTILE = ('eth0; reboot', '../../etc', 'eth0\n', 'a/b', '\x1b[2J', '', '-n',
           'x' * 16, '.', '..', 'eth 0', 'eth0\x00', 'ёth0')  # fmt: skip


@ddt.ddt
class TestReturned(testtools.TestCase):
    @ddt.data(
        '', 'x', DEEP, '{}', '[]', '1', 'null', '{"return"', '"return"',
        'x' * (replies.LONGEST + 1), '{"error": {"desc": "no"}}',
        '{"error": 1}', '{"error": null}',
    )  # fmt: skip
    def test_what_is_no_answer(self, reply: str) -> None:
        self.assertRaises(errors.GuestError, replies.returned, reply)

    def test_an_answer(self) -> None:
        self.assertEqual([1], replies.returned('{"return": [1], "id": 3}'))

    def test_the_guests_words_are_escaped_and_cut(self) -> None:
        desc = '\x1b[2J\n' + 'a' * 1000
        error = self.assertRaises(
            errors.GuestError,
            replies.returned,
            json.dumps({'error': {'desc': desc}}),
        )
        self.assertTrue(str(error).isprintable())
        self.assertLess(len(str(error)), 150)


@ddt.ddt
class TestForms(testtools.TestCase):
    @ddt.data(
        None, 'x', True, 2**63, -(2**64), 1.5, {}, {'name': 1}, [1], [[]],
        [{}], [{'name': None}], [{}] * (replies.MOST + 1),
        {'supported_commands': {}}, {'supported_commands': [{'name': 'a'}]},
        {'supported_commands': [{'name': 'a', 'enabled': 1}]},
        {'buf-b64': 'QUFB'}, {'buf-b64': 1, 'eof': True},
        {'buf-b64': '\u00e9', 'eof': True}, {'count': True}, {'pid': '1'},
        {'exited': 1}, {'exited': True, 'exitcode': '0'},
        {'exited': True, 'out-data': '!'},
    )  # fmt: skip
    def test_what_has_none_of_them(self, value: Any) -> None:
        for form in replies.FORMS:
            self.assertRaises(errors.GuestError, form, value)

    def test_interfaces_by_name(self) -> None:
        listed = [
            {'name': 'ens3', 'hardware-address': 'FA:16:3e:00:00:01'},
            {'name': 'lo'},
            *({'name': name} for name in HOSTILE),
            {'name': 'ens4', 'hardware-address': 'fa:16:3e:00:00:0g'},
            {'name': 'ens5', 'hardware-address': ['x']},
        ]
        self.assertEqual(
            (
                replies.Interface('ens3', 'fa:16:3e:00:00:01'),
                replies.Interface('lo', None),
                replies.Interface('ens4', None),
                replies.Interface('ens5', None),
            ),
            replies.interfaces(listed),
        )

    def test_one_that_others_can_reach(self) -> None:
        for addresses, reached in (
            ([{'ip-address': '192.0.2.1', 'prefix': 24}], True),
            ([{'ip-address': 'fe80::1'}, {'ip-address': '2001:db8::1'}], True),
            ([{'ip-address': 'fe80::1'}, {'ip-address': '127.0.0.1'}], False),
            ([{'ip-address': 'x' * 9999}, {}, 7, None, [[]]], False),
            ([{'ip-address': '169.254.0.1'}, {'ip-address': 1}], False),
            ({'ip-address': '192.0.2.1'}, False),
            (None, False),
        ):
            (found,) = replies.interfaces(
                [{'name': 'ens3', 'ip-addresses': addresses}]
            )
            self.assertIs(reached, found.addressed, repr(addresses))

    def test_a_program_that_a_signal_ended(self) -> None:
        self.assertEqual(
            replies.Finished(None, b'', b''),
            replies.finished({'exited': True, 'signal': 9}),
        )

    def test_one_that_runs(self) -> None:
        self.assertIsNone(replies.finished({'exited': False}))
