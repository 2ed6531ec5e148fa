# SPDX-License-Identifier: Apache-2.0
"""Bring back what a guest of this host should have.

An unplug request cannot be withdrawn: the guest may act on it after the
deadline, after the rollback, or when it reboots. The persistent XML still has
such a device, so it is plugged again at once. A device that could not be
plugged is tried again, after ever longer pauses. So is a bond of ours that
could not be made.
"""

from concurrent import futures
import contextlib
import functools
import threading
from typing import Any

from nova import context as nova_context
from nova import exception
from nova import objects
from oslo_concurrency import lockutils
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.compute.server import factory as compute_servers
from nova_pt_migrate.compute.traffic import managed_bonds
from nova_pt_migrate.core import phase_names

LOG = logging.getLogger(__name__)
LONGEST_PAUSE = 64
"""Looks that are passed over between two attempts at the same server."""


class Healer:
    """Looks after servers, one at a time, in a thread of its own.

    :param host: name of this compute host
    :param tell: makes the story of what is done here
    :param bonds: that are kept in guests
    """

    def __init__(
        self,
        servers: compute_servers.Servers,
        host: str,
        tell: actions.Tell,
        bonds: managed_bonds.Bonding,
    ) -> None:
        self._servers = servers
        self._bonds = bonds
        self._host = host
        self._tell = tell
        self._executor = futures.ThreadPoolExecutor(
            max_workers=1, thread_name_prefix='pt_migrate-late'
        )
        self._lock = threading.Lock()
        self._lacking: dict[str, _Pause] = {}

    def check_soon(self, server: str) -> None:
        """Look after the server with this UUID; returns at once."""
        try:
            check = self._executor.submit(self._check, server)
        except RuntimeError:
            LOG.info(
                'nova-compute stops: server %s is not looked after', server
            )
            return
        check.add_done_callback(functools.partial(_log, server))

    def note(self, server: str) -> None:
        """Look after a server again and again until it lacks nothing."""
        with self._lock:
            self._lacking.setdefault(server, _Pause())

    def check_again(self, context: Any) -> None:
        """Look after the servers that lack something and whose turn it is."""
        with self._lock:
            due = [
                server
                for server, pause in self._lacking.items()
                if pause.is_over()
            ]
        for server in due:
            self.check_soon(server)

    def stop(self) -> None:
        """Begin no further look; one that is under way goes on to its end.

        Not waited for: it may wait for the message bus, which nova-compute
        is about to leave.
        """
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _check(self, server: str) -> None:
        context = nova_context.get_admin_context()
        try:
            instance = objects.Instance.get_by_uuid(
                context,
                server,
                expected_attrs=['flavor', 'info_cache', 'system_metadata'],
            )
            vifs = our_vifs.owned(instance.get_network_info())
            with _locked(server, vifs):
                instance.refresh()
                # What is under way looks itself when it ends; it may be what
                # brings the server here.
                if instance.task_state:
                    return
                if instance.host == self._host:
                    self._heal(context, instance)
                    return
        except exception.InstanceNotFound:
            LOG.debug('Server %s is gone from this host', server)
        self._forget(server)

    def _heal(self, context: Any, instance: Any) -> None:
        reporter = self._tell(context, instance)
        lacking = self._servers.of(instance, reporter).come_home(
            our_vifs.owned(instance.get_network_info()),
            phase_names.PhaseName.HEAL,
        )
        if self._bonds.keep(instance, reporter.tell) or lacking:
            self.note(instance.uuid)
        else:
            self._forget(instance.uuid)

    def _forget(self, server: str) -> None:
        with self._lock:
            self._lacking.pop(server, None)


class _Pause:
    """How many looks a server is passed over, more from time to time."""

    def __init__(self) -> None:
        self._length = self._left = 1

    def is_over(self) -> bool:
        self._left -= 1
        if self._left:
            return False
        self._length = self._left = min(2 * self._length, LONGEST_PAUSE)
        return True


@contextlib.contextmanager
def _locked(server: str, vifs: list[Any]) -> Any:
    """Hold Nova's locks against attaching and detaching of the ports.

    nova/compute/manager.py, attach_interface and detach_interface.
    """
    with contextlib.ExitStack() as stack:
        for port in sorted(vif['id'] for vif in vifs):
            stack.enter_context(lockutils.lock(f'interface-{server}-{port}'))
        yield


def _log(server: str, future: 'futures.Future[None]') -> None:
    """A look must not end unseen; the next event tries again."""
    if not future.cancelled() and future.exception():
        LOG.error(
            'Server %s could not be looked after, and a device may be missing '
            'in its guest: compare its ports with its domain, and reboot the '
            'server hard.', server, exc_info=future.exception(),
        )  # fmt: skip
