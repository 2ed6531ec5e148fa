# SPDX-License-Identifier: Apache-2.0
"""Bring back what a guest releases when nobody waits for it any more.

An unplug request cannot be withdrawn: the guest may act on it after the
deadline, after the rollback, or when it reboots. The persistent XML still has
such a device, so it is plugged again at once.
"""

from concurrent import futures
import contextlib
from typing import Any

from nova import context as nova_context
from nova import exception
from nova import objects
from oslo_concurrency import lockutils
from oslo_log import log as logging

from nova_pt_migrate.compute import ports
from nova_pt_migrate.compute import servers as compute_servers

LOG = logging.getLogger(__name__)


class LateReleases:
    """Looks after servers, one at a time, in a thread of its own.

    :param host: name of this compute host
    """

    def __init__(self, servers: compute_servers.Servers, host: str) -> None:
        self._servers = servers
        self._host = host
        self._executor = futures.ThreadPoolExecutor(
            max_workers=1, thread_name_prefix='pt_migrate-late'
        )

    def look_soon(self, server: str) -> None:
        """Look after the server with this UUID; returns at once."""
        try:
            look = self._executor.submit(self._look, server)
        except RuntimeError:
            LOG.info('nova-compute stops: server %s is not looked at', server)
            return
        look.add_done_callback(_log)

    def stop(self) -> None:
        """Begin no further look; one that is under way goes on to its end.

        Not waited for: it may wait for the message bus, which nova-compute
        is about to leave.
        """
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _look(self, server: str) -> None:
        context = nova_context.get_admin_context()
        try:
            instance = objects.Instance.get_by_uuid(
                context, server, expected_attrs=['flavor', 'info_cache']
            )
            vifs = ports.owned(instance.get_network_info())
            with _locked(server, vifs):
                instance.refresh()
                # Whatever operation is under way ends by looking itself.
                if instance.host == self._host and not instance.task_state:
                    self._servers.of(instance).take_back(vifs)
        except exception.InstanceNotFound:
            LOG.debug('Server %s is gone from this host', server)


@contextlib.contextmanager
def _locked(server: str, vifs: list[Any]) -> Any:
    """Hold Nova's locks against attaching and detaching of the ports.

    nova/compute/manager.py, attach_interface and detach_interface.
    """
    with contextlib.ExitStack() as stack:
        for port in sorted(vif['id'] for vif in vifs):
            stack.enter_context(lockutils.lock(f'interface-{server}-{port}'))
        yield


def _log(future: 'futures.Future[None]') -> None:
    """A look must not end unseen; the next event tries again."""
    if not future.cancelled() and future.exception():
        LOG.error(
            'A device may be missing in a guest of this host; see the log '
            'for the event before this line, and reboot that server hard.',
            exc_info=future.exception(),
        )
