# SPDX-License-Identifier: Apache-2.0

import base64
import io
import pathlib
import tarfile
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.cloud import daemons
from lab.hosts import machine
from lab.hosts import provision

SETUP = settings.Settings(pathlib.Path('/lab'))
ALL = [
    f'{name} {where.name}'
    for name in (*provision.SERVICES, 'mapped')
    for where in SETUP.hosts
]


class PutTest(unittest.TestCase):
    def test_files_arrive_below_the_folder(self):
        with mock.patch.object(machine, 'ssh', autospec=True) as ssh:
            provision.put(SETUP, SETUP.hosts[0], {'/etc/a/b': b'text'}, '/')
        text = ssh.call_args.kwargs['input']
        packed = io.BytesIO(base64.b64decode(text))
        with tarfile.open(fileobj=packed) as archive:
            self.assertEqual(['etc/a/b'], archive.getnames())
            member = archive.extractfile('etc/a/b')
            assert member is not None
            self.assertEqual(b'text', member.read())


class StartTest(unittest.TestCase):
    def _start(
        self, *reports: list[str], states: str = 'active\n' * 3
    ) -> mock.Mock:
        texts = ['\n'.join(report) for report in reports]
        with (
            mock.patch.object(
                machine, 'ssh', return_value=states, autospec=True
            ),
            mock.patch.object(
                daemons, 'sql', side_effect=texts, autospec=True
            ) as sql,
            mock.patch('time.sleep', autospec=True),
        ):
            provision.start(SETUP)
        return sql

    def test_ends_when_all_have_reported(self):
        sql = self._start([], ALL[:3], ALL)
        self.assertEqual(3, sql.call_count)

    def test_asks_only_for_reports_since_the_start(self):
        sql = self._start(ALL)
        self.assertIn('INTERVAL 0 SECOND', sql.call_args.args[1])

    def test_a_service_that_ended_is_named_with_its_log(self):
        with self.assertRaisesRegex(
            shell.Failed,
            'neutron-macvtap-agent on cmp1 .*logs cmp1/neutron-macvtap-agent',
        ):
            self._start(ALL[1:], states='active\nfailed\nactive\n')

    def test_a_critical_error_of_nova_compute_is_shown(self):
        with self.assertRaisesRegex(
            shell.Failed, 'nova-compute on cmp1: .*no such driver'
        ):
            self._start(
                ALL[1:], states='active\n' * 3 + '7 CRITICAL no such driver\n'
            )
