# SPDX-License-Identifier: Apache-2.0

import threading

import fixtures
import testtools

from nova_pt_migrate.host import announcements

PATIENCE = 30.0


class AnnouncementsTest(testtools.TestCase):
    """Time passes when a test lets it."""

    def setUp(self) -> None:
        super().setUp()
        self.now = 0.0
        self.sent: list[float] = []
        self.ended: threading.Event | None = None
        self.over = threading.Event()
        self.broken = False
        self.log = self.useFixture(fixtures.FakeLogger())
        self.announcements = announcements.Announcements(self.wait)

    def wait(self, end: threading.Event, seconds: float) -> bool:
        if self.ended is not None:
            self.ended.wait(PATIENCE)
        if end.is_set():
            self.over.set()
            return True
        self.now += seconds
        return False

    def send(self) -> None:
        self.sent.append(round(self.now, 2))
        if len(self.sent) == 5:
            self.over.set()
        if self.broken:
            raise OSError('Network is down')

    def begin(self) -> None:
        self.announcements.begin('pts1', 'announcing it on br-ex', self.send)

    def test_five_as_qemu_does(self) -> None:
        self.begin()
        self.assertTrue(self.over.wait(PATIENCE))
        self.assertEqual([0.0, 0.05, 0.2, 0.45, 0.8], self.sent)
        self.assertEqual('', self.log.output)

    def test_none_when_the_address_has_gone(self) -> None:
        self.ended = threading.Event()
        self.begin()
        self.announcements.end('pts2')
        self.announcements.end('pts1')
        self.ended.set()
        self.assertTrue(self.over.wait(PATIENCE))
        self.assertEqual([0.0], self.sent)
        self.announcements.end('pts1')

    def test_the_last_word_counts(self) -> None:
        self.ended = threading.Event()
        self.begin()
        self.begin()
        self.assertEqual([0.0, 0.0], self.sent)
        self.ended.set()
        self.assertTrue(self.over.wait(PATIENCE))

    def test_a_port_that_is_down_is_named_once_and_tried_again(self) -> None:
        self.broken = True
        self.begin()
        self.assertTrue(self.over.wait(PATIENCE))
        self.assertEqual(5, len(self.sent))
        told = [
            line
            for line in self.log.output.splitlines()
            if line.startswith('Switches are not told')
        ]
        self.assertEqual(
            [
                'Switches are not told where standby pts1 is: announcing it '
                'on br-ex failed: Network is down. Until its guest sends they '
                'give its frames to where it was.'
            ],
            told,
        )
