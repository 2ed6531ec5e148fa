# SPDX-License-Identifier: Apache-2.0
"""Bring back what a guest of this host should have.

An unplug request cannot be withdrawn: the guest may act on it after the
deadline, after the rollback, or when it reboots. The persistent XML still has
such a device, so it is plugged again at once. A device that could not be
plugged is tried again, after ever longer pauses. So is a bond of ours that
could not be made. Whatever Nova does with a server comes first.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import functools
import threading
from typing import Any

from nova import context as nova_context
from nova import exception
from nova import objects
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.compute.notifications import degradation
from nova_pt_migrate.compute.server import factory as compute_servers
from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.compute.server import port_locks
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.compute.traffic import managed_bonds
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import order
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.host import lanes

LOG = logging.getLogger(__name__)
GiveUp = Callable[[Any, Any, interfaces.Domain], bool]
"""Given context, instance and its domain; False if something is left."""
LONGEST_PAUSE = 64
"""Looks that are passed over between two attempts at the same server."""


class Healer:
    """Looks after servers, those that have just lost something first.

    :param owners: say when it is our turn
    :param host: name of this compute host
    :param tell: makes the story of what is done here
    :param bonds: that are kept in guests
    :param give_up: frees what is kept for ports that a server has lost
    """

    def __init__(
        self,
        owners: owner.Owners,
        servers: compute_servers.Servers,
        host: str,
        tell: actions.Tell,
        bonds: managed_bonds.Bonding,
        give_up: GiveUp,
    ) -> None:
        self._owners = owners
        self._servers = servers
        self._bonds = bonds
        self._give_up = give_up
        self._host = host
        self._tell = tell
        self._lanes = lanes.Lanes('healing', urgent_only=True)
        self._lock = threading.Lock()
        self._lacking: dict[str, _Lack] = {}
        self._looking: dict[str, bool] = {}
        self.start = self._lanes.start
        self.wait = self._lanes.wait

    def check_soon(self, server: str) -> None:
        """Look after the server with this UUID; returns at once."""
        if not self._lanes.put(
            functools.partial(self._check, server), urgent=True
        ):
            LOG.info(
                'nova-compute stops: server %s is not looked after', server
            )

    def note(self, server: str) -> None:
        """Look after a server again and again until it lacks nothing.

        Soon, however hard it was before: something has happened.
        """
        with self._lock:
            self._lack(server).begin_anew()

    def check_again(self, context: Any) -> None:
        """Look after the servers that lack something and whose turn it is."""
        with self._lock:
            due = [
                server
                for server, lack in self._lacking.items()
                if lack.is_due()
            ]
        for server in due:
            self._lanes.put(functools.partial(self._check, server))

    def stop(self) -> None:
        """Begin no further look; one that is under way goes on to its end.

        Not waited for: it may wait for the message bus, which nova-compute
        is about to leave.
        """
        self._lanes.stop()

    def _check(self, server: str) -> None:
        with self._lock:
            if server in self._looking:
                self._looking[server] = True
                return
            self._looking[server] = False
        try:
            self._try(server)
        finally:
            with self._lock:
                again = self._looking.pop(server)
            if again:
                self.check_soon(server)

    def _try(self, server: str) -> None:
        """Look, unless somebody else has the server; then look later."""
        try:
            with self._owners.turn(server, 'a look after it') as turn:
                self._look(server, turn)
        except errors.NotOurTurn as exc:
            LOG.info('Server %s is looked after later: %s', server, exc)
            with self._lock:
                self._lack(server).put_off()
        except Exception:
            LOG.exception(
                'Server %s could not be looked after, and a device may be '
                'missing in its guest: compare its ports with its domain, and '
                'reboot the server hard.', server,
            )  # fmt: skip
            with self._lock:
                self._lack(server)

    def _look(self, server: str, turn: turns.Turn) -> None:
        context = nova_context.get_admin_context()
        try:
            instance = objects.Instance.get_by_uuid(
                context,
                server,
                expected_attrs=['flavor', 'info_cache', 'system_metadata'],
            )
            known = our_vifs.owned(instance.get_network_info())
            with _locked(server, known):
                instance.refresh()
                if instance.task_state:
                    # It may be what brings the server here.
                    raise errors.NotOurTurn(f'it is {instance.task_state}')
                if instance.host == self._host:
                    _refuse_others(instance, known)
                    self._heal(context, instance, turn)
                    return
        except exception.InstanceNotFound:
            LOG.debug('Server %s is gone from this host', server)
        self._forget(server)

    def _heal(self, context: Any, instance: Any, turn: turns.Turn) -> None:
        with self._lock:
            lack = self._lack(instance.uuid)
        told = lack.told or degradation.Degradation(self._tell, context)
        lack.told = told
        told.look(instance)
        servers = self._servers.within(turn)
        lacking = servers.of(instance, told).bring(
            order.Place.HOME,
            our_vifs.owned(instance.get_network_info()),
            phase=phase_names.PhaseName.HEAL,
        )
        free = self._give_up(context, instance, servers.domain(instance))
        kept = self._bonds.keep(instance, told.tell, servers.agent)
        if lacking or kept or not free:
            return
        told.finish()
        self._forget(instance.uuid)

    def _lack(self, server: str) -> '_Lack':
        return self._lacking.setdefault(server, _Lack())

    def _forget(self, server: str) -> None:
        with self._lock:
            self._lacking.pop(server, None)


class _Lack:
    """A server that lacks something, or may.

    It is passed over by some looks, by more each time that it was tried.

    :ivar told: what is told of it, once it was looked at
    """

    def __init__(self) -> None:
        self.told: degradation.Degradation | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Have it tried at the next look."""
        self._length = self._left = 1

    def put_off(self) -> None:
        """It was not tried: that says nothing of how hard it is."""
        self._length = self._left = max(self._length // 2, 1)

    def is_due(self) -> bool:
        """Tell whether it is not passed over this time."""
        self._left -= 1
        if self._left:
            return False
        self._length = self._left = min(2 * self._length, LONGEST_PAUSE)
        return True


@contextlib.contextmanager
def _locked(server: str, vifs: list[our_vifs.Vif]) -> Iterator[None]:
    """Hold Nova's locks against attaching and detaching of the ports.

    :raises errors.NotOurTurn: Nova holds one of them
    """
    with contextlib.ExitStack() as stack:
        for port in sorted(vif['id'] for vif in vifs):
            try:
                stack.enter_context(port_locks.lock(server, port))
            except port_locks.Held as exc:
                raise errors.NotOurTurn(
                    f'port {port} is being attached or detached'
                ) from exc
        yield


def _refuse_others(instance: Any, locked: list[our_vifs.Vif]) -> None:
    """See that the server has the ports that are locked, and no others.

    :raises errors.NotOurTurn: one is being attached, or was detached
    """
    now = {vif['id'] for vif in our_vifs.owned(instance.get_network_info())}
    changed = now ^ {vif['id'] for vif in locked}
    if changed:
        raise errors.NotOurTurn(
            f'ports {", ".join(sorted(changed))} are being attached or '
            f'detached'
        )
