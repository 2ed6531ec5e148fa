# SPDX-License-Identifier: Apache-2.0

from typing import Any

import fixtures
from nova import exception
import oslo_messaging
from oslo_messaging import rpc as messaging_rpc
from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.compute.rpc import messages
from nova_pt_migrate.compute.rpc import peers
from nova_pt_migrate.core import domain_words

Domain = domain_words.Domain


class TestDomain(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def ask(self, answer: Any) -> Domain:
        asked: list[Any] = []

        def asking(
            _peers: peers.Peers, host: str, question: str, **values: Any
        ) -> Any:
            asked.append((host, question, values))
            if isinstance(answer, Exception):
                raise answer
            return answer

        self.useFixture(fixtures.MockPatchObject(peers.Peers, '_ask', asking))
        found = peers.Peers().domain('there', uuids.server)
        self.assertEqual(
            [('there', 'domain', {'server': uuids.server})], asked
        )
        return found

    def test_what_libvirt_says_there(self) -> None:
        for word, domain in (
            (None, Domain.ABSENT),
            (domain_words.Word(True, 1, 2, 0), Domain.RUNS),
            (domain_words.Word(True, 3, 1, 0), Domain.PAUSED),
            (domain_words.Word(True, 1, 10, 2), Domain.POST_COPY),
        ):
            self.assertIs(domain, self.ask(messages.of_word(word)))

    def test_who_does_not_answer_is_silent(self) -> None:
        for error in (
            oslo_messaging.MessagingTimeout(),
            oslo_messaging.RemoteError('ValueError', 'no'),
            exception.HypervisorUnavailable(),
        ):
            self.assertIs(Domain.SILENT, self.ask(error))

    def test_who_does_not_know_the_question(self) -> None:
        for error in (
            oslo_messaging.UnsupportedVersion('1.0', method='domain'),
            messaging_rpc.NoSuchMethod('domain'),
            oslo_messaging.RemoteError('UnsupportedVersion', 'no'),
            oslo_messaging.RemoteError('NoSuchMethod', 'no'),
        ):
            self.assertIs(Domain.UNASKED, self.ask(error))

    def test_it_is_asked_again_after_a_while(self) -> None:
        """It logs a traceback each time."""
        clock = [0.0]
        asked: list[str] = []

        def asking(_peers: peers.Peers, host: str, *_: Any, **_1: Any) -> Any:
            asked.append(host)
            if len(asked) == 1:
                raise messaging_rpc.NoSuchMethod('domain')
            return messages.of_word(None)

        self.useFixture(fixtures.MockPatchObject(peers.Peers, '_ask', asking))
        asker = peers.Peers(lambda: clock[0])
        for seconds, domain, times in (
            (0.0, Domain.UNASKED, 1),
            (peers.ASK_AGAIN - 1, Domain.UNASKED, 1),
            (peers.ASK_AGAIN, Domain.ABSENT, 2),
            (peers.ASK_AGAIN + 1, Domain.ABSENT, 3),
        ):
            clock[0] = seconds
            self.assertIs(domain, asker.domain('there', uuids.server))
            self.assertEqual(times, len(asked))
        self.assertIs(Domain.ABSENT, asker.domain('other', uuids.server))

    def test_nonsense_is_no_answer_and_is_told(self) -> None:
        self.assertIs(Domain.SILENT, self.ask({'domain': 'fine'}))
        self.assertIn('its answer is not used', self.log.output)
