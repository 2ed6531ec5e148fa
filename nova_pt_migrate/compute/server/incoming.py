# SPDX-License-Identifier: Apache-2.0
"""Servers on their way to this host, until their guest's CPUs run here.

From that moment the guest's frames leave here, and those to it must come here.
libvirt tells it by an event; what has to be done is known by then. Whoever
has prepared for a server and then begins another operation for it expects it
no more: a guest that runs afterwards is none that arrives.
"""

import functools

from oslo_log import log as logging

from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.core import errors
from nova_pt_migrate.host import lanes

LOG = logging.getLogger(__name__)


class Incoming:
    """Switches the pairs of guests that begin to run here.

    :param owners: know which servers are expected
    """

    def __init__(self, owners: owner.Owners) -> None:
        self._owners = owners
        self._lane = lanes.Lanes('incoming')
        self.start = self._lane.start
        self.wait = self._lane.wait

    def runs(self, server: str) -> None:
        """Its guest runs here now; returns at once and raises nothing."""
        expected = self._owners.forget(server)
        if expected is None:
            return
        if not self._lane.put(
            functools.partial(self._arrive, server, expected), urgent=True
        ):
            LOG.info('nova-compute stops: server %s is not switched', server)

    def _arrive(self, server: str, arrive: owner.Expected) -> None:
        try:
            with self._owners.turn(server, 'its arrival', True) as turn:
                arrive(turn)
        except errors.NotOurTurn as exc:
            LOG.debug('Server %s is switched by others: %s', server, exc)

    def stop(self) -> None:
        """Begin nothing more."""
        self._lane.stop()
