# SPDX-License-Identifier: Apache-2.0

import base64
import json
import shlex
import unittest
from unittest import mock

from lab import settings
from lab import shell
from lab.hosts import machine
from lab.observe import guest_agent


class GuestAgentTest(unittest.TestCase):
    """A guest's agent that answers as it is told to."""

    def setUp(self):
        self.answers: list[dict[str, object]] = [{'pid': 7}]
        self.asked: list[dict[str, object]] = []
        for target, name, double in (
            (machine, 'ssh', self._ssh), (guest_agent.time, 'sleep', None)
        ):  # fmt: skip
            patch = mock.patch.object(
                target, name, autospec=True, side_effect=double
            )
            patch.start()
            self.addCleanup(patch.stop)
        setup = settings.load()
        self.guest = guest_agent.GuestAgent(setup, setup.hosts[0], 'uuid')

    def _ssh(self, setup, host, command, timeout):
        self.asked.append(json.loads(shlex.split(command)[-1]))
        return json.dumps({'return': self.answers.pop(0)})

    def _ended(self, code: int, **said: str) -> dict[str, object]:
        data = {
            f'{name}-data': base64.b64encode(text.encode()).decode()
            for name, text in said.items()
        }
        return {'exited': True, 'exitcode': code, **data}

    def test_a_script_is_awaited_and_its_output_returned(self):
        self.answers += [{'exited': False}, self._ended(0, out='a\n')]
        self.assertEqual('a\n', self.guest.run("echo 'a'"))
        begun, *_, status = self.asked
        self.assertEqual(['-c', "echo 'a'"], begun['arguments']['arg'])
        self.assertEqual({'pid': 7}, status['arguments'])

    def test_one_that_fails_tells_what_it_said(self):
        self.answers.append(self._ended(1, err='no such link'))
        with self.assertRaisesRegex(shell.Failed, 'no such link'):
            self.guest.run('ip link')
