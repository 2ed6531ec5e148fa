# SPDX-License-Identifier: Apache-2.0
"""What is done at the moment in which a guest begins or ceases to run here.

From the one its frames leave here, and those to it must come here; from the
other they must not any more. libvirt tells both by events; what has to be done
is known by then. Whoever has prepared for it and then begins another operation
expects it no more.
"""

import functools

from nova.virt import event as virt_event
from oslo_log import log as logging

from nova_pt_migrate.compute.server import owner
from nova_pt_migrate.core import errors
from nova_pt_migrate.host import lanes

LOG = logging.getLogger(__name__)
OF_EVENTS = {
    virt_event.EVENT_LIFECYCLE_RESUMED: owner.Moment.RUNS,
    virt_event.EVENT_LIFECYCLE_PAUSED: owner.Moment.STOPS,
    virt_event.EVENT_LIFECYCLE_POSTCOPY_STARTED: owner.Moment.STOPS,
    virt_event.EVENT_LIFECYCLE_MIGRATION_COMPLETED: owner.Moment.STOPS,
}
"""What tells that the CPUs of a guest that migrates run here, or do not.

libvirt calls it started when QEMU waits for its memory. Nova has three words
for a guest that QEMU has stopped in order to move it (nova/virt/libvirt/
host.py, Host._event_lifecycle_callback).
"""


class Moments:
    """Switches the pairs of guests that begin or cease to run here.

    :param owners: know which servers are expected to
    """

    def __init__(self, owners: owner.Owners) -> None:
        self._owners = owners
        self._lane = lanes.Lanes('moments')
        self.start = self._lane.start
        self.wait = self._lane.wait

    def see(self, event: virt_event.LifecycleEvent) -> None:
        """Take what libvirt tells of a guest; as :meth:`come`."""
        moment = OF_EVENTS.get(event.transition)
        if moment is not None:
            self.come(event.uuid, moment)

    def come(self, server: str, moment: owner.Moment) -> None:
        """It is so now; returns at once and raises nothing."""
        expected = self._owners.take(server, moment)
        if expected is None:
            return
        if not self._lane.put(
            functools.partial(self._switch, server, moment, expected),
            urgent=True,
        ):
            LOG.info('nova-compute stops: server %s is not switched', server)

    def _switch(
        self, server: str, moment: owner.Moment, expected: owner.Expected
    ) -> None:
        try:
            with self._owners.turn(
                server, moment.value, True, expected.within
            ) as turn:
                expected.do(turn)
        except errors.NotOurTurn as exc:
            LOG.debug('Server %s is switched by others: %s', server, exc)

    def stop(self) -> None:
        """Begin nothing more."""
        self._lane.stop()
