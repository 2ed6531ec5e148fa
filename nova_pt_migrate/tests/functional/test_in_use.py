# SPDX-License-Identifier: Apache-2.0
"""Devices that guests have, and that Nova frees all the same."""

import threading
from typing import Any

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes

MIGRATIONS = 'migration_get_in_progress_and_error_by_host_and_node'


class FreedInUseTest(ours.OurMigrations):
    """Nova looks at a host while a server arrives there."""

    def test_they_are_taken_back(self) -> None:
        server, whole = self.prepare(self.ports.direct(2))
        freed: list[list[str]] = []
        tracker = self.computes[base.DESTINATION].manager.rt.pci_tracker
        clean = tracker.clean_usage

        def cleaning(instances: Any, migrations: Any) -> None:
            clean(instances, migrations)
            freed.append(
                [d.address for d in tracker.pci_devs if d.instance_uuid]
            )

        tracker.clean_usage = cleaning
        arrived = self.look_while_it_arrives()

        self.addCleanup(arrived.set)
        self.migrate(server)

        arrived.set()
        self.wait_for(lambda: [] in freed, 'Nova to free them')
        self.wait_for(
            lambda: (
                len(self.held(server)) == 2
                and {d.status for d in self.held(server)} == {'allocated'}
            ),
            'them to be taken back',
        )
        whole.check(always.End(base.DESTINATION, 'completed'))
        self.migrate(server)
        whole.check(always.End(base.SOURCE, 'completed'))

    def held(self, server: dict[str, Any]) -> list[Any]:
        tracker = self.computes[base.DESTINATION].manager.rt
        return pci_tracker.held(tracker).get(server['id'], [])

    def look_while_it_arrives(self) -> threading.Event:
        """Have Nova look when it is about to save where the server is.

        It reads the servers then, and the migrations once it may.

        :returns: to be set when it may go on
        """
        home, begun, read, may = (threading.Event() for _ in range(4))
        driver = self.computes[base.DESTINATION].driver
        arrive = driver.post_live_migration_at_destination

        def arriving(*args: Any, **kwargs: Any) -> None:
            arrive(*args, **kwargs)
            home.set()

        driver.post_live_migration_at_destination = arriving
        look = threading.Thread(target=self.update, daemon=True)

        def meet(point: processes.Point, after: bool) -> None:
            if (point.host, point.kind) != (base.DESTINATION, 'db'):
                return
            if point.name == MIGRATIONS and begun.is_set() and not after:
                read.set()
                may.wait()
            elif (
                point.name == 'instance_update_and_get_original'
                and not after
                and home.is_set()
                and not begun.is_set()
            ):
                begun.set()
                look.start()
                read.wait()

        self.processes.meet = meet
        return may

    def update(self) -> None:
        """As Nova's periodic task, whose pool the hosts share here."""
        with self.processes.within(base.DESTINATION):
            self.computes[
                base.DESTINATION
            ].manager.rt.update_available_resource(self.ctxt, base.DESTINATION)
