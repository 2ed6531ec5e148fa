# SPDX-License-Identifier: Apache-2.0
"""Which migrations have ended."""

from typing import Any

from nova.compute import task_states

ERROR = 'error'
OVER = {
    'cancelled',
    'completed',
    'confirmed',
    'done',
    ERROR,
    'failed',
    'reverted',
}
"""Status of migrations that nobody goes on with (db/main/api.py:3326)."""


def is_over(migration: Any, instance: Any) -> bool:
    """Tell whether nobody goes on with a migration.

    Where a preparation failed Nova saves ``error`` before it rolls back, and
    gives the server its allocation only then; the task state tells when that
    is done (nova/compute/manager.py:9275, 10257).

    :param migration: nova.objects.Migration
    :param instance: nova.objects.Instance, its server
    """
    if migration.status == ERROR:
        return bool(instance.task_state != task_states.MIGRATING)
    return migration.status in OVER
