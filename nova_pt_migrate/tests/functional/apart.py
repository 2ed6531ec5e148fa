# SPDX-License-Identifier: Apache-2.0
"""What nova-computes in one process must not share, since they never do.

Locks by name, and the host name of the configuration: a nova-compute that
waits for another one, or died, must not hold a lock of that other one or of
its successor. And the database of their cell: Nova's fixture gives whoever
names no cell the one that any thread looks at just then, and has those that
look at different cells wait for each other; one that dies meanwhile never
comes out of its cell. And the conductor gets what it is asked for as JSON, in
which a time is a text.
"""

from collections.abc import Callable
from typing import Any

import fixtures
from nova import context as nova_context
from nova import objects
from nova.db.main import api as database
from oslo_concurrency import lockutils
from oslo_config import cfg
from oslo_serialization import jsonutils


class Apart(fixtures.Fixture):
    """Gives each nova-compute locks, a host name and a database of its own.

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
        find = database.get_context_manager

        def finding(context: Any) -> Any:
            named = getattr(context, 'db_connection', None)
            if named or not self._current():
                return find(context)
            return find.__self__._default_ctxt_mgr

        self._patch(database, 'get_context_manager', finding)
        target = nova_context.target_cell

        def targeting(context: Any, cell: Any) -> Any:
            if self._current():
                return target.__self__._real_target_cell(context, cell)
            return target(context, cell)

        self._patch(nova_context, 'target_cell', targeting)
        for kind in (objects.InstanceList, objects.MigrationList):
            self._patch(
                kind, 'get_by_filters', self._sent(kind.get_by_filters)
            )

    def _apart(self, get: Callable[[Any, str], Any]) -> Any:
        def getting(locks: Any, name: str) -> Any:
            life = self._current()
            return get(locks, f'{name} of {id(life)}' if life else name)

        return getting

    def _sent(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def asking(context: Any, filters: Any, **more: Any) -> Any:
            if self._current():
                filters = jsonutils.loads(jsonutils.dumps(filters))
            return ask(context, filters, **more)

        return asking

    def _patch(self, owner: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MockPatchObject(owner, name, value))
