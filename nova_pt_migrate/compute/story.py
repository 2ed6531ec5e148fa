# SPDX-License-Identifier: Apache-2.0
"""What a user is told of a server: events of its actions, notifications.

Users see the events with ``openstack server event show``: one for each phase
and one for each reason, named by its code, whose details name device and
text. A refusal is one event, however many hosts were tried.
"""

from collections.abc import Callable
import contextlib
from typing import Any

from nova import objects
from oslo_log import log as logging

from nova_pt_migrate.compute import notifying
from nova_pt_migrate.compute import phases
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)
HEAL = 'pt_migrate_heal'
"""The action of what is done for a server without being asked."""


class Story:
    """Tells of one request about one server; never raises.

    :param context: of the request
    :param host: where it is told
    :param action: to begin, where there is no request of a user
    """

    def __init__(
        self, context: Any, instance: Any, host: str, action: str | None = None
    ) -> None:
        self._context = context
        self._instance = instance
        self._host = host
        self._action = action
        self._notifier = notifying.Notifier(context, instance, host)

    def begin(self, phase: phases.Phase) -> None:
        """See :meth:`phases.Teller.begin`."""
        with _harmless():
            self._start(f'pt_migrate_{phase.name}')
        with _harmless():
            self._notifier.begin(phase)

    def end(self, phase: phases.Phase) -> None:
        """See :meth:`phases.Teller.end`."""
        with _harmless():
            self._finish(f'pt_migrate_{phase.name}', details(phase.failures))
            by_reason: dict[reasons.Reason, dict[str, reasons.Failure]] = {}
            for device, failure in phase.failures.items():
                by_reason.setdefault(failure.reason, {})[device] = failure
            for reason, failures in by_reason.items():
                self._tell(reason, details(failures))
        with _harmless():
            self._notifier.end(phase)

    def tell(self, failure: reasons.Failure) -> None:
        """Tell a reason outside of any phase."""
        with _harmless():
            self._tell(failure.reason, failure.text)

    def _tell(self, reason: reasons.Reason, text: str) -> None:
        self._start(reason.value)
        self._finish(reason.value, text)

    def _start(self, name: str) -> None:
        """Begin an event, or go on with the request's own of that name."""
        server = self._instance.uuid
        known = objects.InstanceAction.get_by_request_id(
            self._context, server, self._context.request_id
        )
        if known is None and self._action:
            known = objects.InstanceAction.action_start(
                self._context, server, self._action
            )
        if known is not None and any(
            event.event == name
            for event in objects.InstanceActionEventList.get_by_action(
                self._context, known.id
            )
        ):
            return
        objects.InstanceActionEvent.event_start(
            self._context, server, name, want_result=False, host=self._host
        )

    def _finish(self, name: str, text: str) -> None:
        event = objects.InstanceActionEvent
        if not text:
            event.event_finish(
                self._context, self._instance.uuid, name, want_result=False
            )
            return
        # A traceback that is None would mean success.
        event.event_finish_with_failure(
            self._context, self._instance.uuid, name,
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


@contextlib.contextmanager
def _harmless() -> Any:
    """What cannot be told must not keep a migration from its end."""
    try:
        yield
    except Exception:
        LOG.warning('An event could not be recorded', exc_info=True)
