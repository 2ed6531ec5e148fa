# SPDX-License-Identifier: Apache-2.0
"""Less work for Nova's fixtures and services, with the same outcome.

Half of what a functional test costs is not what it is about: idle threads
that look for work, connections to files that are made for each transaction,
debug messages that are formatted and dropped, rules that are loaded and
replaced before anybody asks for them.
"""

import functools
import importlib.metadata
import logging
import queue
from typing import Any

import fixtures
from futurist import _thread
from nova.api.openstack import compute as compute_api
from sqlalchemy import pool

ENTRY_POINTS = functools.cache(importlib.metadata.entry_points)
"""What is installed does not change."""
IDLE = 1.0
"""Seconds after which an idle thread looks whether its pool is gone.

A process that ends waits for all of them.
"""


class Economy(fixtures.Fixture):
    """Used before Nova's own fixtures are."""

    def _setUp(self) -> None:
        # SQLAlchemy logs each use of a pool by the module of its class.
        logging.getLogger(__name__).setLevel(logging.WARNING)
        # The real rules take the place of these before the first request.
        self._patch('nova.tests.fixtures.PolicyFixture', fixtures.Fixture)
        self._patch('sqlalchemy.pool.NullPool', KeptConnections)
        self._patch('importlib.metadata.entry_points', ENTRY_POINTS)
        # Each of the two versions of the API has one, and both are alike.
        router = functools.cache(compute_api.APIRouterV21)
        self.useFixture(
            fixtures.MockPatchObject(
                compute_api.APIRouterV21,
                'factory',
                staticmethod(lambda *_args, **_config: router()),
            )
        )

    def _patch(self, path: str, value: Any) -> None:
        self.useFixture(fixtures.MonkeyPatch(path, value))


class KeptConnections(pool.QueuePool):
    """As many connections as there are transactions at a time."""

    def __init__(self, creator: Any, **kwargs: Any) -> None:
        super().__init__(creator, **{**kwargs, 'pool_size': 0})


def format_our_messages_only() -> None:
    """Nova's fixture lets all be formatted, down to debug, and drops them.

    To be called when Nova's fixtures are there.
    """
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger('nova_pt_migrate').setLevel(logging.DEBUG)


class _Wake:
    """Work that is none: whoever takes it looks whether to stop."""


def let_idle_threads_sleep() -> None:
    """Let threads of pools wait for work or their end, instead of looking.

    Nova's tests have them look a hundred times a second, as this, for good.
    """
    worker: Any = _thread.ThreadWorker
    if worker._wait_for_work is _wait_for_work:
        return
    stop = worker.stop

    def stopping(one: Any) -> None:
        stop(one)
        one.work_queue.put(_Wake())

    worker._wait_for_work, worker.stop = _wait_for_work, stopping


def _wait_for_work(worker: Any) -> Any:
    worker.idle = True
    while True:
        try:
            work = worker.work_queue.get(timeout=IDLE)
        except queue.Empty:
            work = _Wake()
        if not isinstance(work, _Wake):
            worker.idle = False
            return work
        if worker._is_dying():
            # It may have been meant for another one.
            worker.work_queue.put(work)
            raise _thread._Stopping
