# SPDX-License-Identifier: Apache-2.0
"""What nova-computes in one process must not share, since they never do.

Locks by name, and the host name of the configuration: a nova-compute that
waits for another one, or died, must not hold a lock of that other one or of
its successor.
"""

from collections.abc import Callable
from typing import Any

import fixtures
from oslo_concurrency import lockutils
from oslo_config import cfg


class Apart(fixtures.Fixture):
    """Gives each nova-compute locks and a host name of its own.

    :param current: tells for which one this thread works; what it returns
        has the attribute ``host``, and is None for everything else
    """

    def __init__(self, current: Callable[[], Any]) -> None:
        super().__init__()
        self._current = current

    def _setUp(self) -> None:
        for kept in (lockutils.Semaphores, lockutils.FairLocks):
            self._patch(kept, 'get', self._apart(kept.get))
        read = cfg.ConfigOpts.__getattr__

        def reading(conf: Any, name: str) -> Any:
            life = self._current() if name == 'host' else None
            return life.host if life else read(conf, name)

        self._patch(cfg.ConfigOpts, '__getattr__', reading)

    def _apart(self, get: Callable[[Any, str], Any]) -> Any:
        def getting(locks: Any, name: str) -> Any:
            life = self._current()
            return get(locks, f'{name} of {id(life)}' if life else name)

        return getting

    def _patch(self, owner: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MockPatchObject(owner, name, value))
