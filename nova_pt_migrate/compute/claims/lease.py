# SPDX-License-Identifier: Apache-2.0
"""Free what this host keeps for servers that did not come.

Nova claims devices on the destination of a live migration, and where the
migration ends without a word to the destination (it was aborted while queued,
its preparation failed, a host was down) they would stay claimed. What is held
here for a server elsewhere is kept only as long as a migration may bring it.

Only servers are asked for of which something may be left: each that migrated
from here or to here is noted, and what the tracker and the netdevs say is
seen in this process and in sysfs. Of all others, database, Neutron, placement
and libvirt are asked nothing.
"""

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import datetime
import functools
import threading
from typing import Any

from nova import objects
from nova.objects import fields
from oslo_log import log as logging
from oslo_utils import timeutils

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute import records
from nova_pt_migrate.compute.claims import awaited
from nova_pt_migrate.compute.claims import bindings
from nova_pt_migrate.compute.claims import left_standbys
from nova_pt_migrate.compute.claims import open_ends
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.compute.claims import prepared as prepared_vfs
from nova_pt_migrate.compute.claims import unexplained
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import pairs

LOG = logging.getLogger(__name__)
Turn = interfaces.Turn
RECENT = datetime.timedelta(days=1)
"""How long after its last change a migration may have left something."""
MOST = 500
"""So many of a host's last migrations are looked at after a start."""
SPREAD = 1.0
"""Seconds between two servers that are looked at for what was before."""


class Lease:
    """What is set aside on this host for servers that are not here.

    :param compute: gives nova.compute.manager.ComputeManager of this host,
        once it is there
    :param prepared: what was set up on its devices
    :param standbys: the netdevs of this host
    :param ends: the servers that are noted
    :param turns: says when it is our turn with a server
    """

    def __init__(
        self,
        compute: Callable[[], Any],
        prepared: prepared_vfs.Prepared,
        standbys: left_standbys.LeftStandbys,
        ends: open_ends.OpenEnds,
        turns: Callable[[str, str], contextlib.AbstractContextManager[Turn]],
    ) -> None:
        self._find_compute = compute
        self._prepared = prepared
        self._standbys = standbys
        self._ends = ends
        self._turns = turns
        self._turn = threading.Lock()
        self._unexplained = unexplained.Unexplained(prepared, standbys, ends)
        self._looked_back = False

    @property
    def _compute(self) -> Any:
        return self._find_compute()

    def note(self, server: str) -> None:
        """Look at a server, of which something may be left here, soon."""
        self._ends.note(server)

    def may_have(self, server: str) -> bool:
        """Tell whether a server may have left something here; asks nobody."""
        return not self._looked_back or self._ends.has(server)

    def note_standbys(self, instances: Iterable[Any]) -> None:
        """Note the servers of this host that have a standby too many.

        :param instances: nova.objects.Instance, each with its information
            cache; nothing is asked
        """
        found = self._standbys.servers()
        for instance in instances:
            if instance.uuid in found:
                known = {
                    pairs.link_name(vif['id'])
                    for vif in instance.get_network_info()
                }
                if found[instance.uuid] - known:
                    self.note(instance.uuid)

    def check(self, context: Any) -> None:
        """Free what no migration needs any more.

        Each server on its own: one that cannot be dealt with is logged, and
        looked at again after ever longer pauses.

        :raises nova.exception.NovaException: the database does not tell,
            after a start, which servers have migrated; what is known
            otherwise is dealt with, and it is asked again at the next look
        """
        with self._turn, contextlib.ExitStack() as rest:
            rest.callback(self._look_at_all, context)
            if not self._looked_back:
                self._look_back(context)
                self._looked_back = True

    def _look_back(self, context: Any) -> None:
        """Note whatever has migrated before this process began.

        No time is asked for: the conductor would get it as a text.
        """
        begin = timeutils.utcnow(with_timezone=True) - RECENT
        migrations = objects.MigrationList.get_by_filters(
            context,
            {
                'host': self._compute.host,
                'migration_type': fields.MigrationType.LIVE_MIGRATION,
            },
            sort_keys=['id'],
            sort_dirs=['desc'],
            limit=MOST,
        )
        servers = pci_tracker.away(
            self._compute.rt,
            {
                each.instance_uuid
                for each in migrations
                if (each.updated_at or each.created_at) >= begin
            },
        )
        for number, server in enumerate(sorted(servers)):
            self._ends.note(server, after=number * SPREAD)

    def _look_at_all(self, context: Any) -> None:
        self._unexplained.note(self._compute.rt)
        for server, number in self._ends.due():
            try:
                with self._turns(server, 'its lease') as turn:
                    ended = self._end(context, server, turn)
                soon = server in pci_tracker.held(self._compute.rt)
            except errors.NotOurTurn as exc:
                LOG.debug('Server %s is cleared later: %s', server, exc)
                ended, soon = False, True
            except Exception:
                LOG.exception(
                    'What server %s has left on this host could not be '
                    'cleared; it is tried again from time to time', server,
                )  # fmt: skip
                ended = soon = False
            if ended:
                self._ends.end(server, number)
                self._unexplained.explain(self._compute.rt, server)
            elif not soon:
                self._ends.put_off(server, number)

    def _end(self, context: Any, server: str, turn: Turn) -> bool:
        """Clear what a server has left here, if it does not come.

        :returns: False if it is to be looked at again
        :raises errors.NotOurTurn: an operation has taken over
        :raises Exception: from database, placement, Neutron or libvirt; all
            was done that does not depend on what failed
        """
        instance = records.find(context, server)
        if instance is not None and instance.host == self._compute.host:
            return self._is_in_order(context, instance, turn)
        if instance is None:
            return self._clear(context, server, None, turn)
        if awaited.may_come(self._compute, context, instance):
            return bool(
                instance.host is None
                and server not in pci_tracker.held(self._compute.rt)
            )
        if awaited.moves_elsewhere(self._compute, context, instance):
            self._clear(context, server, instance, turn)
            return False
        try:
            with turn.step():
                bindings.undo(self._compute, context, instance)
        except Exception:
            self._clear(context, server, instance, turn)
            raise
        return self._clear(context, server, instance, turn)

    def _clear(
        self, context: Any, server: str, instance: Any, turn: Turn
    ) -> bool:
        """Clear what is left but the bindings; False if not all is."""
        return self._free(context, server, instance, turn) and turn.guard(
            self._standbys
        ).forget(server, instance, False)

    def _is_in_order(self, context: Any, instance: Any, turn: Turn) -> bool:
        """See to a server of this host, when nothing is under way with it."""
        if instance.task_state is not None:
            return False
        with turn.step():
            self._prepared.forget(instance.uuid)
            self._take_over(context, instance)
        return turn.guard(self._standbys).forget(instance.uuid, instance, True)

    def _free(
        self, context: Any, server: str, instance: Any, turn: Turn
    ) -> bool:
        """Take down and free the devices, unless placement has them here.

        :returns: False if there are some yet
        """
        if self._give_up_allocation(context, server, instance):
            return False
        unless = functools.partial(
            awaited.is_awaited, self._compute, context, server
        )
        if not turn.guard(self._prepared).take_down(server, unless):
            return False
        with turn.step():
            pci_tracker.free(context, self._compute.rt, server, unless)
        return server not in pci_tracker.held(self._compute.rt)

    def _take_over(self, context: Any, instance: Any) -> None:
        """Allocate what a server uses that came while nobody answered."""
        used = {
            vif['profile'].get('pci_slot')
            for vif in our_vifs.owned(instance.get_network_info())
            if vif['profile']
        }
        if any(
            device.status == fields.PciDeviceStatus.CLAIMED
            and device.address in used
            for device in pci_tracker.held(self._compute.rt).get(
                instance.uuid, ()
            )
        ):
            self._compute.rt.allocate_pci_devices_for_instance(
                context, instance
            )

    def _give_up_allocation(
        self, context: Any, server: str, instance: Any
    ) -> bool:
        """Remove this host from what placement has for the server.

        An evacuation keeps what a live migration had allocated. A server that
        has nothing else is given its own by its host, in place of this, and
        would lose it if both came at once; unless that host was fenced.

        :returns: True if placement still has this host for the server, whose
            devices are kept then
        """
        report = self._compute.reportclient
        held = report.get_allocs_for_consumer(context, server)['allocations']
        here = {node.uuid for node in self._compute.rt.compute_nodes.values()}
        left = here & set(held)
        if not set(held) - here and not awaited.is_fenced(context, instance):
            return bool(left)
        for node in sorted(left):
            if awaited.is_awaited(self._compute, context, server):
                return True
            report.remove_provider_tree_from_instance_allocation(
                context, server, node
            )
        return False
