# SPDX-License-Identifier: Apache-2.0

from typing import Any
from typing import cast

import testtools

from nova_pt_migrate.compute.notifications import degradation
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons


class Story:
    """Remembers what is told."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def begin(self, phase: phases.Phase) -> None:
        self._told.append('begin')

    def end(self, phase: phases.Phase) -> None:
        texts = [str(failure) for failure in phase.failures.values()]
        self._told.append(' '.join(texts) or 'well')

    def tell(self, failure: reasons.Failure) -> None:
        self._told.append(str(failure))

    remark = tell

    def finish(self) -> None:
        self._told.append('whole')


class TestDegradation(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.told: list[str] = []
        self.contexts: list[Any] = []
        self.degradation = degradation.Degradation(self.story, 'a request')

    def story(self, context: Any, instance: Any) -> Any:
        self.contexts.append(context)
        return cast(Any, Story(self.told))

    def failure(self, text: str) -> reasons.Failure:
        return reasons.Failure(reasons.Reason.PLUG_FAILED, text)

    def look(
        self,
        text: str = '',
        result: phase_names.Result = phase_names.Result.PLUG_FAILED,
    ) -> list[str]:
        self.told.clear()
        self.degradation.look('a server')
        phase = phases.Phase(phase_names.PhaseName.HEAL, None, [])
        self.degradation.begin(phase)
        if text or result is phase_names.Result.GAVE_WAY:
            phase.fail(result, {'dev': self.failure(text)} if text else {})
        self.degradation.end(phase)
        return self.told

    def test_a_reason_is_told_once_and_again_when_it_is_another(self) -> None:
        self.assertEqual(['begin', 'no slot'], self.look('no slot'))
        self.assertEqual([], self.look('no slot'))
        self.assertEqual(['begin', 'no memory'], self.look('no memory'))
        self.assertEqual(['begin', 'well'], self.look())
        self.assertEqual({'a request'}, set(self.contexts))

    def test_one_that_gives_way_goes_on_later(self) -> None:
        gave_way = phase_names.Result.GAVE_WAY
        self.assertEqual(['begin'], self.look(result=gave_way))
        self.assertEqual(['no slot'], self.look('no slot'))
        self.assertEqual([], self.look(result=gave_way))

    def test_it_ends_if_it_was_told_of(self) -> None:
        self.degradation.look('a server')
        self.degradation.finish()
        self.assertEqual([], self.told)
        self.degradation.tell(self.failure('no bond'))
        self.degradation.finish()
        self.assertEqual(['no bond', 'whole'], self.told)

    def test_a_remark_is_passed_on(self) -> None:
        self.degradation.look('a server')
        self.degradation.remark(self.failure('quiet'))
        self.assertEqual(['quiet'], self.told)
