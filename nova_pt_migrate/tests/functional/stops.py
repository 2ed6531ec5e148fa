# SPDX-License-Identifier: Apache-2.0
"""The end of Nova's services, some of which belong to a dead process.

A service that stops waits for its threads and its tasks, and those of a dead
process never finish what they do.
"""

from collections.abc import Callable
from typing import Any

import fixtures
from nova import service


class Stops(fixtures.Fixture):
    """Lets go of the services of dead processes instead of stopping them.

    :param worker: tells for which process this thread works; what it returns
        has the attribute ``alive``, and is None for everything else
    """

    def __init__(self, worker: Callable[[], Any]) -> None:
        super().__init__()
        self._worker = worker
        # Nobody else may have one that died while it was starting.
        self._lives: dict[Any, Any] = {}

    def _setUp(self) -> None:
        start, stop = service.Service.start, service.Service.stop

        def starting(one: Any) -> None:
            life = self._worker()
            if life:
                self._lives[one] = life
            start(one)

        def stopping(one: Any) -> None:
            life = self._lives.get(one)
            if life and not life.alive:
                let_go(one)
            else:
                stop(one)

        for name, function in (('start', starting), ('stop', stopping)):
            self.useFixture(
                fixtures.MockPatchObject(service.Service, name, function)
            )
        # One that died while it was starting is stopped by nobody.
        self.addCleanup(self._let_go_of_the_dead)

    def _let_go_of_the_dead(self) -> None:
        for one, life in list(self._lives.items()):
            if not life.alive:
                let_go(one)


def let_go(one: Any) -> None:
    """Have the pools of a dead service end, without waiting for them."""
    for server in (one.rpcserver, one.rpcserver_alt):
        if server and server._work_executor:
            server._work_executor.shutdown(wait=False)
        if server and server.listener:
            # Its thread has died with the process.
            server.listener._started = False
