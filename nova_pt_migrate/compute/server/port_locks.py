# SPDX-License-Identifier: Apache-2.0
"""Nova's locks against attaching and detaching of a port."""

import contextlib
from typing import Any

from oslo_concurrency import lockutils

Held = lockutils.AcquireLockFailedException
"""Somebody else has the lock."""


def lock(server: str, port: str) -> contextlib.AbstractContextManager[Any]:
    """Hold one for the length of the context; waits for nobody.

    Its name is that of nova/compute/manager.py, attach_interface and
    detach_interface.

    :param server: UUID
    :param port: UUID
    :raises Held: Nova attaches or detaches it
    """
    found: contextlib.AbstractContextManager[Any] = lockutils.lock(
        f'interface-{server}-{port}', blocking=False
    )
    return found
