# SPDX-License-Identifier: Apache-2.0
"""How nova-compute stops, and what of ours counts for it.

Told to stop, Nova takes no new requests, waits for its tasks for
``manager_shutdown_timeout`` less 20 s, and calls the driver last
(nova/compute/manager.py:1741). What nobody asked for does not begin any more
from the first moment on; what is under way is one of Nova's tasks.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
from typing import Any

GRACE = 15.0
"""Seconds for departures to be given up, of the 20 that Nova keeps for the
driver's clean-up."""


class Stopping:
    """Whether nova-compute stops, and the tasks that it waits for.

    :param compute: gives nova.compute.manager.ComputeManager of this host
    """

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute

    @property
    def begun(self) -> bool:
        """True from the moment on in which nova-compute is told to stop."""
        return bool(self._compute()._shutdown_in_progress.is_set())

    @contextlib.contextmanager
    def counted(self, server: str, what: str) -> Iterator[None]:
        """Let Nova wait for what is done in the context, and log of it.

        :param server: UUID
        :param what: in words
        """
        compute = self._compute()
        key = compute._record_task_start(f'pt_migrate: {what}', server)
        failed = True
        try:
            yield
            failed = False
        finally:
            compute._record_task_end(key, failed=failed)

    def unless_begun(
        self, chore: Callable[[Any], None]
    ) -> Callable[[Any], None]:
        """Return a chore that does nothing once nova-compute stops."""

        def guarded(context: Any) -> None:
            if not self.begun:
                chore(context)

        return guarded
