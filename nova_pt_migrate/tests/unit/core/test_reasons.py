# SPDX-License-Identifier: Apache-2.0

import dataclasses

import testtools

from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons


class TestReasons(testtools.TestCase):
    def test_every_code_says_what_it_means_and_what_to_do(self) -> None:
        self.assertEqual(list(reasons.Reason), list(reasons.ADVICE))
        for reason, advice in reasons.ADVICE.items():
            for name, words in dataclasses.asdict(advice).items():
                self.assertTrue(words, f'{name} of {reason}')

    def test_meaning_and_remedy_are_sentences(self) -> None:
        for advice in reasons.ADVICE.values():
            self.assertTrue(advice.meaning.endswith('.'), advice.meaning)
            self.assertTrue(advice.remedy.endswith('.'), advice.remedy)


class TestPhaseNames(testtools.TestCase):
    def test_every_phase_says_what_happens_where(self) -> None:
        self.assertEqual(list(phase_names.PhaseName), list(phase_names.PHASES))
        for phase in phase_names.PHASES.values():
            self.assertTrue(phase.host)
            self.assertTrue(phase.meaning.endswith('.'), phase.meaning)

    def test_every_result_says_what_it_means(self) -> None:
        self.assertEqual(list(phase_names.Result), list(phase_names.RESULTS))
        for meaning in phase_names.RESULTS.values():
            self.assertTrue(meaning.endswith('.'), meaning)
