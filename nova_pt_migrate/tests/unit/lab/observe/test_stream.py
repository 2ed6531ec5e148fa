# SPDX-License-Identifier: Apache-2.0

import socket
import threading
import unittest

from lab.observe import stream


class StreamTest(unittest.TestCase):
    """The guest is the other end of a pair of sockets."""

    def setUp(self) -> None:
        super().setUp()
        ours, self.guest = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(self.guest.close)
        self.stream = stream.Stream(ours, rate=200)

    def _answer(self) -> None:
        """Echo three times, and then let it end."""

        def echo() -> None:
            for _ in range(3):
                self.guest.sendall(self.guest.recv(9))
            self.stream.stop()
            while text := self.guest.recv(9):
                self.guest.sendall(text)

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()

    def test_all_that_was_sent_comes_back(self):
        self._answer()
        life = self.stream.run(60)
        self.assertTrue(life.passed, life)
        self.assertGreaterEqual(life.sent, 27)

    def test_another_echo_is_no_life(self):
        self.guest.sendall(b'hello')
        life = self.stream.run(60)
        self.assertIn('not what was sent', life.broken)
        self.assertIn('did NOT live', life.said())

    def test_a_guest_that_closes_it(self):
        self.guest.close()
        life = self.stream.run(60)
        self.assertFalse(life.passed)
        self.assertTrue(life.broken)

    def test_what_never_came_back_is_no_life(self):
        self.assertFalse(stream.Life(18, 9, 1.0).passed)
        self.assertFalse(stream.Life(0, 0, 0.0).passed)
