# SPDX-License-Identifier: Apache-2.0
"""What tests of a guest that was handed over have in common."""

from collections.abc import Iterator
import contextlib
from typing import Any

from nova import objects

from nova_pt_migrate.core import reasons
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes


class HandedOver(crashes.Crashes):
    """Neither of its two copies is ended, or let run, unless it is known."""

    def machine(self, host: str, server: dict[str, Any]) -> machines.Machine:
        found: machines.Machine = self.double.hypervisors[host].find(
            server['id']
        )
        return found

    def restart(
        self, server: dict[str, Any], host: str, phase: states.Phase
    ) -> None:
        """Migrate; in the phase libvirtd of the host ends and starts again."""
        restarted = self.double.restart_libvirtd(host, phase)
        self.begin(server)
        self.wait_for(restarted.is_set, 'the restart of libvirtd')

    def told(self, server: dict[str, Any]) -> list[Any]:
        """Return the events that say that it cannot be told."""
        return [
            event
            for action in objects.InstanceActionList.get_by_instance_uuid(
                self.ctxt, server['id']
            )
            for event in objects.InstanceActionEventList.get_by_action(
                self.ctxt, action.id
            )
            if event.event == reasons.Reason.UNDECIDED
        ]

    @contextlib.contextmanager
    def told_again(self, server: dict[str, Any]) -> Iterator[None]:
        """In the context it is told anew, by the one event of the request."""
        (before,) = self.told(server)
        yield
        self.wait_for(
            lambda: self.told(server)[0].finish_time > before.finish_time,
            'the event of the new one',
        )
        self.assertEqual(1, len(self.told(server)))

    def assert_stuck(self, server: dict[str, Any], *known: str) -> None:
        """The server waits, and it has been told once that it does.

        :param known: parts of what is told
        """
        (event,) = self.wait_for(lambda: self.told(server), 'the event')
        for part in known:
            self.assertIn(part, event.details)
        source = self.computes[base.SOURCE].driver
        with self.processes.within(base.SOURCE):
            source._pt.worker._settle_all(self.ctxt)
        self.assertEqual(1, len(self.told(server)))
        self.assertFalse(self.is_ended(server, 0))
        self.assertEqual('migrating', self._task_state(server))
