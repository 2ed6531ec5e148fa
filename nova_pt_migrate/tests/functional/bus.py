# SPDX-License-Identifier: Apache-2.0
"""Calls over the fake message bus, whose caller or server may die."""

from collections.abc import Callable
import math
import queue
import threading
import time
from typing import Any

import fixtures
import oslo_messaging
from oslo_messaging._drivers import impl_fake

LOOK = 0.05
"""Seconds between two looks at who is still alive."""


class Bus(fixtures.Fixture):
    """Lets calls end when one of the two that have to do with it is dead.

    Messages to a nova-compute that is dead wait for the next one. What the
    dead one had taken is lost, and no answer ever comes.

    :param current: tells for which nova-compute this thread works
    :ivar patience: seconds after which a caller notices that no answer will
        come; the timeout of the call if that is shorter
    """

    def __init__(self, current: Callable[[], Any]) -> None:
        super().__init__()
        self.patience = math.inf
        self._current = current

    def _setUp(self) -> None:
        poll = impl_fake.FakeExchange.poll

        def polling(exchange: Any, target: Any, pool: Any) -> Any:
            taker = self._current()
            if taker:
                taker.check()
            found = poll(exchange, target, pool)
            if isinstance(found[2], _Answer):
                found[2].taker = taker
            return found

        delivered = threading.Condition()
        deliver = impl_fake.FakeExchange.deliver_message

        def delivering(exchange: Any, *args: Any, **kwargs: Any) -> None:
            deliver(exchange, *args, **kwargs)
            with delivered:
                delivered.notify_all()

        self._patch(impl_fake.FakeExchange, 'poll', polling)
        self._patch(impl_fake.FakeExchange, 'deliver_message', delivering)
        # A listener sleeps between two looks; a message wakes it.
        self._patch(impl_fake, 'time', _Time(delivered))
        self._patch(impl_fake.FakeDriver, '_send', self._sending())

    def _sending(self) -> Any:
        def send(
            driver: Any,
            target: Any,
            context: Any,
            message: dict[str, Any],
            wait_for_reply: Any = None,
            timeout: float | None = None,
            transport_options: Any = None,
        ) -> Any:
            driver._check_serialize(message)
            answer = _Answer(self._current()) if wait_for_reply else None
            exchange = driver._exchange_manager.get_exchange(target.exchange)
            exchange.deliver_message(
                target.topic,
                context,
                message,
                server=target.server,
                fanout=target.fanout,
                reply_q=answer,
            )
            if answer is None:
                return None
            if answer.wait(timeout or math.inf, self.patience):
                return answer.value()
            _withdraw(exchange, answer)
            raise oslo_messaging.MessagingTimeout(
                f'No reply on topic {target.topic}'
            )

        return send

    def _patch(self, owner: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MockPatchObject(owner, name, value))


class _Time:
    """The time of the driver, where a message ends each sleep."""

    time = staticmethod(time.time)

    def __init__(self, delivered: threading.Condition) -> None:
        self._delivered = delivered

    def sleep(self, seconds: float) -> None:
        with self._delivered:
            self._delivered.wait(seconds)


class _Answer(queue.Queue[tuple[Any, Any]]):
    """Where the one answer to a call arrives.

    :ivar taker: the nova-compute that has taken the call, if it is one
    """

    def __init__(self, caller: Any) -> None:
        super().__init__()
        self.taker: Any = None
        self._caller = caller
        self._found: tuple[Any, Any] | None = None

    def wait(self, timeout: float, patience: float) -> bool:
        """Wait; returns False if no answer came in time.

        :raises faults.Crash: the caller is dead
        """
        begin = time.monotonic()
        lost: float | None = None
        while self._found is None:
            try:
                self._found = self.get(timeout=LOOK)
            except queue.Empty:
                now = time.monotonic()
                if self._caller:
                    self._caller.check()
                if lost is None and self.taker and not self.taker.alive:
                    lost = now
                if now - begin > timeout or (
                    lost is not None and now - lost > patience
                ):
                    return False
        return True

    def value(self) -> Any:
        """Return what was answered, or raise it."""
        value, failure = self._found or (None, None)
        if failure:
            raise failure
        return value


def _withdraw(exchange: Any, answer: _Answer) -> None:
    """Take a call back that nobody has taken; its time is over."""
    with exchange._queues_lock:
        for queues in (exchange._server_queues, exchange._topic_queues):
            for messages in queues.values():
                messages[:] = [m for m in messages if m[2] is not answer]
