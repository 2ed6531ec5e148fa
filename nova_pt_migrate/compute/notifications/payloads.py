# SPDX-License-Identifier: Apache-2.0
"""The phases as notifications, in the form of Nova's versioned ones.

They go where Nova's own go: ``[notifications] notification_format`` and
``versioned_notifications_topics`` are obeyed, since Nova's notifier is used.
"""

from collections.abc import Callable
from typing import Any

from nova import rpc

from nova_pt_migrate.compute.notifications import phases

VERSION = '1.1'


class Notifier:
    """Sends the notifications of one request about one server.

    :param context: of the request
    :param host: whose nova-compute sends
    """

    def __init__(self, context: Any, instance: Any, host: str) -> None:
        self._context = context
        self._instance = instance
        self._host = host

    def begin(self, phase: phases.Phase) -> Callable[[], None]:
        """Return what sends ``pt_migrate.<phase>.start``."""
        return self._sender(phase, 'start')

    def end(self, phase: phases.Phase) -> Callable[[], None]:
        """Return what sends ``pt_migrate.<phase>.end`` or ``.error``."""
        return self._sender(phase, 'error' if phase.failures else 'end')

    def _sender(self, phase: phases.Phase, event: str) -> Callable[[], None]:
        """What is sent is as the phase is now, not as it will be."""
        name = f'pt_migrate.{phase.name}.{event}'
        content = payload(phase, self._instance, self._host)

        def send() -> None:
            notifier = rpc.get_versioned_notifier(f'nova-compute:{self._host}')
            by_priority = notifier.error if event == 'error' else notifier.info
            by_priority(self._context, name, content)

        return send


def payload(
    phase: phases.Phase, instance: Any, host: str
) -> dict[str, object]:
    """Return what is told of a phase."""
    return {
        'nova_object.name': 'PhasePayload',
        'nova_object.namespace': 'nova_pt_migrate',
        'nova_object.version': VERSION,
        'nova_object.data': {
            'uuid': instance.uuid,
            'tenant_id': instance.project_id,
            'host': host,
            'migration_uuid': phase.migration,
            'phase': phase.name.value,
            'devices': list(phase.devices),
            'text': phase.text,
            'result': phase.result,
            'failures': [
                {
                    'device': device or None,
                    'reason': failure.reason.value,
                    'text': failure.text,
                }
                for device, failure in sorted(phase.failures.items())
            ],
        },
    }
