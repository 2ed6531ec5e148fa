# SPDX-License-Identifier: Apache-2.0
"""Calls that cannot be withdrawn, and that may take too long to wait for."""

from collections.abc import Callable
import threading


class Call:
    """A blocking call in a thread of its own, and what came of it.

    It begins at once. A thread that is not waited for any longer goes on.

    :param name: of the thread
    :ivar value: what the call has returned
    :ivar error: what the call has raised
    """

    def __init__(self, function: Callable[[], object], name: str) -> None:
        self.value: object = None
        self.error: Exception | None = None
        self._function = function
        self._thread = threading.Thread(
            target=self._run, name=f'pt_migrate-{name}', daemon=True
        )
        self._thread.start()

    def finished(self, seconds: float) -> bool:
        """Wait for the end, and tell whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.value = self._function()
        except Exception as exc:
            self.error = exc
