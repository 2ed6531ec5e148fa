# SPDX-License-Identifier: Apache-2.0
"""What is told of a server from when it lacks something until it is whole.

It is one action, though the server is looked after again and again. Its one
event, and the notifications, say why it is not whole when that is another
reason than before. In the end the event is a success, whose details are those
of the last failure, as Nova does not take them back.
"""

from collections.abc import Mapping
from typing import Any

from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import reasons


class Degradation:
    """Tells of one; a :class:`phases.Reporter` for each look in turn.

    :param tell: makes the story of one look
    :param context: of all looks; its request is that of the action
    """

    def __init__(self, tell: actions.Tell, context: Any) -> None:
        self._tell = tell
        self._context = context
        self._story: actions.Story | None = None
        self._said: Mapping[str, reasons.Failure] | None = None
        self._begun = False

    def look(self, instance: Any) -> None:
        """A look begins.

        :param instance: as it is now
        """
        self._story = self._tell(self._context, instance)

    def begin(self, phase: phases.Phase) -> None:
        """See :meth:`phases.Reporter.begin`."""
        if not self._begun:
            self._begin(phase)

    def end(self, phase: phases.Phase) -> None:
        """See :meth:`phases.Reporter.end`."""
        if phase.result == phase_names.Result.GAVE_WAY:
            return
        if phase.failures == self._said:
            return
        if self._said is not None:
            self._begin(phase)
        self._said = dict(phase.failures)
        self._now.end(phase)

    def tell(self, failure: reasons.Failure) -> None:
        """Tell a reason outside of any phase."""
        self._begun = True
        self._now.tell(failure)

    def remark(self, failure: reasons.Failure) -> None:
        """See :meth:`phases.Reporter.remark`."""
        self._begun = True
        self._now.remark(failure)

    def finish(self) -> None:
        """The server lacks nothing any more; ends its action, if any."""
        if self._begun:
            self._now.finish()

    def _begin(self, phase: phases.Phase) -> None:
        self._begun = True
        self._now.begin(phase)

    @property
    def _now(self) -> actions.Story:
        assert self._story is not None
        return self._story
