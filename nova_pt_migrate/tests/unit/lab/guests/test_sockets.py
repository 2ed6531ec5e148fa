# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
import json
import pathlib
import socket
import tempfile
import threading
from typing import Any
import unittest

from lab import shell
from lab.guests import channel
from lab.guests import qmp
from nova_pt_migrate.core import errors

SECONDS = 20


class Server:
    """Answers each line that comes, as a function says.

    :param greeting: what is sent first
    """

    def __init__(
        self,
        test: unittest.TestCase,
        answer: Callable[[bytes], bytes],
        greeting: bytes = b'',
    ) -> None:
        folder = test.enterContext(tempfile.TemporaryDirectory())
        self.path = pathlib.Path(folder, 'socket')
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        test.addCleanup(self._listener.close)
        self._answer = answer
        self._greeting = greeting
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connected, _ = self._listener.accept()
        with connected, connected.makefile('rb') as lines:
            connected.sendall(self._greeting)
            for line in lines:
                connected.sendall(self._answer(line))


class ChannelTest(unittest.TestCase):
    def channel(self, said: bytes, before: bytes = b'') -> Any:
        def answer(line: bytes) -> bytes:
            words = json.loads(line.lstrip(channel.MARK))
            if words['execute'] != 'guest-sync-delimited':
                return said
            number = words['arguments']['id']
            return before + channel.MARK + b'{"return": %d}\n' % number

        found = channel.SocketChannel(Server(self, answer).path)
        self.addCleanup(found.close)
        return found

    def test_a_reply(self):
        found = self.channel(b'{"return": {}}\n')
        for _ in range(2):
            reply = found.ask('{"execute": "guest-info"}', SECONDS)
            self.assertEqual('{"return": {}}', reply)
        self.assertEqual(['guest-info'] * 2, found.asked)

    def test_what_was_said_before_is_passed_over(self):
        found = self.channel(
            b'{"return": 1}\n', b'late\n\xff{"return": -1}\n{"return": 7}\n'
        )
        reply = found.ask('{"execute": "guest-info"}', SECONDS)
        self.assertEqual('{"return": 1}', reply)

    def test_a_file_that_is_not_there(self):
        found = self.channel(
            b'{"error": {"desc": "x: No such file or directory"}}\n'
        )
        with self.assertRaises(errors.NoSuchFile):
            found.ask('{"execute": "guest-file-open"}', SECONDS)

    def test_one_that_says_nothing(self):
        found = self.channel(b'')
        with self.assertRaises(errors.GuestError):
            found.ask('{"execute": "guest-info"}', 1)

    def test_no_agent(self):
        found = channel.SocketChannel(pathlib.Path('/nonexistent/agent'))
        with self.assertRaises(errors.GuestError):
            found.ask('{"execute": "guest-info"}', 1)


class MonitorTest(unittest.TestCase):
    def monitor(self, said: bytes) -> qmp.Monitor:
        def answer(line: bytes) -> bytes:
            command = json.loads(line)['execute']
            return (
                b'{"return": {}}\n' if command == 'qmp_capabilities' else said
            )

        greeting = b'{"QMP": {}}\n'
        found = qmp.Monitor(Server(self, answer, greeting).path, SECONDS)
        self.addCleanup(found.close)
        return found

    def test_an_event_that_comes_before_the_answer(self):
        found = self.monitor(
            b'{"event": "OTHER"}\n{"event": "GONE", "data": {}}\n'
            b'{"return": {"a": 1}}\n'
        )
        self.assertEqual({'a': 1}, found.run('x', {}, SECONDS))
        event = found.wait('end', lambda e: e['event'] == 'GONE', SECONDS)
        self.assertEqual({}, event['data'])

    def test_an_event_that_does_not_come(self):
        found = self.monitor(b'{"return": {}}\n')
        with self.assertRaisesRegex(shell.Failed, 'end: not in'):
            found.wait('end', lambda e: True, 0.1)

    def test_an_error(self):
        found = self.monitor(b'{"error": {"desc": "no such device"}}\n')
        with self.assertRaisesRegex(shell.Failed, 'no such device'):
            found.run('device_del', {'id': 'x'}, SECONDS)
