# SPDX-License-Identifier: Apache-2.0
"""Ask our drivers on other hosts, and tell them."""

from collections.abc import Callable
import functools
import time
from typing import Any

from nova import context as nova_context
from nova import exception
from nova import rpc
from nova.compute import rpcapi
from oslo_log import log as logging
import oslo_messaging

from nova_pt_migrate.compute.rpc import messages
from nova_pt_migrate.core import domain_words
from nova_pt_migrate.host import lanes

LOG = logging.getLogger(__name__)
NOT_KNOWN = ('UnsupportedVersion', 'NoSuchMethod')
"""What a server says that does not have the question, by its exception."""
ASK_AGAIN = 600.0
"""Seconds until a host is asked again that did not know the question."""
TIMEOUT = 10.0
"""Seconds for an answer; libvirt is asked twice for it, and no more is done.
"""


class Peers:
    """The other end of :class:`endpoint.Endpoint`.

    A server that does not know a question logs a traceback for it, so it is
    not asked again at once.

    :param now: gives monotonic seconds
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._asked: dict[str, float] = {}
        self._lane = lanes.Lanes('peers')
        self.start = self._lane.start
        self.stop = self._lane.stop

    def tell(self, host: str, server: str, stopped: bool) -> None:
        """Tell a host that the guest of a server has stopped, or goes on here.

        Returns at once and raises nothing; it may not be heard.

        :param server: UUID
        """
        self._lane.put(functools.partial(self._tell, host, server, stopped))

    def _tell(self, host: str, server: str, stopped: bool) -> None:
        try:
            self._client(host, retry=0).cast(
                nova_context.get_admin_context(),
                'guest',
                server=server,
                stopped=stopped,
            )
        except oslo_messaging.MessagingException as exc:
            LOG.info(
                'Host %s is not told of server %s, and sees itself when its '
                'guest runs there: %s', host, server, exc,
            )  # fmt: skip

    def domain(self, host: str, server: str) -> domain_words.Domain:
        """Return what libvirt of a host says of a domain; raises nothing.

        :param server: UUID
        """
        asked = self._asked.get(host)
        if asked is not None and self._now() - asked < ASK_AGAIN:
            return domain_words.Domain.UNASKED
        self._asked.pop(host, None)
        try:
            answer = self._ask(host, 'domain', server=server)
        except (
            oslo_messaging.MessagingException,
            exception.NovaException,
        ) as exc:
            LOG.info(
                'Host %s does not say what its libvirt knows of server %s: '
                '%s: %s', host, server, type(exc).__name__, exc,
            )  # fmt: skip
            # Exceptions of servers come by their names.
            name = getattr(exc, 'exc_type', type(exc).__name__)
            if name in NOT_KNOWN:
                self._asked[host] = self._now()
                return domain_words.Domain.UNASKED
            return domain_words.Domain.SILENT
        try:
            word = messages.word_of(answer)
        except ValueError as exc:
            LOG.warning(
                'Host %s was asked for the domain of server %s, and its '
                'answer is not used: %s', host, server, exc,
            )  # fmt: skip
            return domain_words.Domain.SILENT
        if word is None:
            return domain_words.Domain.ABSENT
        return domain_words.head(word)

    def _ask(self, host: str, question: str, **values: Any) -> Any:
        return self._client(host, '1.0', timeout=TIMEOUT).call(
            nova_context.get_admin_context(), question, **values
        )

    def _client(
        self, host: str, version: str = messages.VERSION, **options: Any
    ) -> Any:
        client = rpc.get_client(
            oslo_messaging.Target(
                topic=rpcapi.RPC_TOPIC,
                namespace=messages.NAMESPACE,
                version=version,
            )
        )
        return client.prepare(server=host, **options)
