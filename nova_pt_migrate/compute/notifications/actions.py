# SPDX-License-Identifier: Apache-2.0
"""What a user is told of a server: events of its actions, notifications.

Users see the events with ``openstack server event show``: one for each phase
and one for each reason, named by its code, whose details name device and
text. A refusal is one event, however many hosts were tried.

All is told by a thread of its own, in order: a guest that is without its
devices must not wait for a database or a message bus that does not answer.
"""

import collections
from collections.abc import Callable
from typing import Any

from nova import objects
from oslo_log import log as logging
from oslo_utils import timeutils
import tenacity

from nova_pt_migrate.compute.notifications import payloads
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.core import reasons
from nova_pt_migrate.host import lanes

LOG = logging.getLogger(__name__)
HEAL = 'pt_migrate_heal'
"""The action of what is done for a server without being asked."""
ATTEMPTS = 3
PAUSE = 1.0
"""Seconds between two attempts to tell the same."""
PENDING = 1000
"""What may wait to be told; what comes then is only in the log."""
LONGEST = 1000
"""Characters that are kept of a reason."""
MOMENT = 5.0
"""Seconds that are waited where nothing hurries."""


class Stories:
    """Tells what has been put in, one after the other."""

    def __init__(self) -> None:
        self._lane = lanes.Lanes('story')
        self.start = self._lane.start
        self.wait = self._lane.wait
        self._begun: collections.deque[tuple[str, str, str]] = (
            collections.deque(maxlen=PENDING)
        )

    def put(self, server: str, tell: Callable[[], None]) -> None:
        """Have something told of a server; returns at once, raises nothing."""
        if len(self._lane) >= PENDING:
            LOG.warning(
                'Too much waits to be told; an event of server %s is lost',
                server,
            )
        else:
            self._lane.put(lambda: self._tell(server, tell))

    def is_first(self, server: str, request: str, event: str) -> bool:
        """Tell whether this host has not begun an event of a request yet.

        It may have tried, as whoever asks is about to. Asked only by what is
        told.
        """
        known = (server, request, event)
        if known in self._begun:
            return False
        self._begun.append(known)
        return True

    def stop(self) -> None:
        """Tell what waits, and what comes still, as long as that is possible.

        Not waited for, since the message bus may not answer.
        """
        self._lane.stop(forget=False)

    def _tell(self, server: str, tell: Callable[[], None]) -> None:
        try:
            tenacity.Retrying(
                stop=tenacity.stop_after_attempt(ATTEMPTS),
                wait=tenacity.wait_fixed(PAUSE),
                reraise=True,
            )(tell)
        except Exception:
            LOG.warning(
                'An event of server %s could not be recorded',
                server, exc_info=True,
            )  # fmt: skip


class Story:
    """Tells of one request about one server; never raises or blocks.

    :param stories: who tells it
    :param context: of the request
    :param host: where it is told
    :param action: to begin, where there is no request of a user
    :ivar reasoned: a reason has been given why something went wrong
    """

    def __init__(
        self,
        stories: Stories,
        context: Any,
        instance: Any,
        host: str,
        action: str | None = None,
    ) -> None:
        self.reasoned = False
        self._stories = stories
        self._context = context
        self._server = instance.uuid
        self._host = host
        self._action = action
        self._notifier = payloads.Notifier(context, instance, host)

    def begin(self, phase: phases.Phase) -> None:
        """See :meth:`phases.Reporter.begin`."""
        if not phase.momentary:
            self._put(
                lambda: self._start(f'pt_migrate_{phase.name}', phase.text)
            )
        self._put(self._notifier.begin(phase))

    def end(self, phase: phases.Phase) -> None:
        """See :meth:`phases.Reporter.end`."""
        name, text = f'pt_migrate_{phase.name}', details(phase.failures)
        if phase.momentary:
            self._put(lambda: self._record(name, text, phase.text))
        else:
            self._put(lambda: self._finish(name, text))
        by_reason: dict[reasons.Reason, dict[str, reasons.Failure]] = {}
        for device, failure in phase.failures.items():
            by_reason.setdefault(failure.reason, {})[device] = failure
        for reason, failures in by_reason.items():
            self.tell(reasons.Failure(reason, details(failures)))
        self._put(self._notifier.end(phase))

    def tell(self, failure: reasons.Failure) -> None:
        """Tell a reason, in a phase or outside of any."""
        self.reasoned = True
        self.remark(failure)

    def remark(self, failure: reasons.Failure) -> None:
        """See :meth:`phases.Reporter.remark`."""
        self._put(lambda: self._tell(failure))

    def finish(self) -> None:
        """End the action that was begun here, after all that is told."""
        self._put(self._finish_action)

    def wait(self) -> None:
        """Wait a moment until all is told, where nothing hurries."""
        self._stories.wait(MOMENT)

    def _put(self, tell: Callable[[], None]) -> None:
        self._stories.put(self._server, tell)

    def _tell(self, failure: reasons.Failure) -> None:
        """Record a reason as a whole, so that it never lacks its text.

        Another host may have recorded it, where several were tried.
        """
        name = failure.reason.value
        if self._is_begun(name):
            self._finish(name, failure.text)
        else:
            self._create(name, failure.text, 'Error')

    def _start(self, name: str, text: str) -> None:
        """Begin an event, or go on with the request's own of that name.

        :param text: its details, which Nova gives to none that begins
        """
        if not self._may_be_begun(name) or not self._is_begun(name):
            self._create(name, text)

    def _record(self, name: str, wrong: str, text: str) -> None:
        """Record an event that takes no time.

        :param wrong: why it has failed, if it has
        :param text: its details otherwise
        """
        if self._may_be_begun(name) and self._is_begun(name):
            self._finish(name, wrong)
        else:
            self._create(name, wrong or text, 'Error' if wrong else 'Success')

    def _create(self, name: str, text: str, result: str | None = None) -> None:
        now = timeutils.utcnow(True)
        ended = {
            'finish_time': now,
            'result': result,
            'traceback': '' if result == 'Error' else None,
        }
        objects.InstanceActionEvent(
            self._context,
            event=name,
            host=self._host,
            start_time=now,
            details=text[:LONGEST] or None,
            **(ended if result else {}),
        ).create(self._server, self._context.request_id)

    def _may_be_begun(self, name: str) -> bool:
        """Tell whether it must be looked; also for an action of our own.

        A phase of a request is one host's, which goes through it again where
        the conductor tries one destination after the other.
        """
        return bool(self._action) or not self._stories.is_first(
            self._server, self._context.request_id, name
        )

    def _is_begun(self, name: str) -> bool:
        """Tell whether the request has such an event; it may need an action.

        An action is begun here for what no user has asked for.
        """
        known = objects.InstanceAction.get_by_request_id(
            self._context, self._server, self._context.request_id
        )
        if known is None and self._action:
            known = objects.InstanceAction.action_start(
                self._context, self._server, self._action
            )
        return known is not None and any(
            event.event == name
            for event in objects.InstanceActionEventList.get_by_action(
                self._context, known.id
            )
        )

    def _finish_action(self) -> None:
        objects.InstanceAction.action_finish(
            self._context, self._server, want_result=False
        )

    def _finish(self, name: str, text: str) -> None:
        event = objects.InstanceActionEvent
        if not text:
            event.event_finish(
                self._context, self._server, name, want_result=False
            )
            return
        # A traceback that is None would mean success.
        event.event_finish_with_failure(
            self._context, self._server, name,
            exc_val=text, exc_tb='', want_result=False,
        )  # fmt: skip


Tell = Callable[[Any, Any], Story]
"""Makes the story of a request (its context) about a server."""


def details(failures: dict[str, reasons.Failure]) -> str:
    """Return the failures in words; Nova keeps 255 characters of them."""
    return '; '.join(
        f'device {device}: {failure}' if device else str(failure)
        for device, failure in sorted(failures.items())
    )
