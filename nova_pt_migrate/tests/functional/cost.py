# SPDX-License-Identifier: Apache-2.0
"""What one live migration asks of others, on both hosts together."""

import collections

from nova import context as nova_context

from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import recorder
from nova_pt_migrate.tests.functional.sweep import servers

KINDS = (
    *('conductor', 'rpc', 'neutron', 'placement', 'libvirt'),
    *('notification', 'agent', 'link', 'kernel'),
)
"""Whom is asked: the conductor for the database, other services of Nova, ...,
and the kernel for netdevs of ours and for VFs."""
Cost = collections.Counter[tuple[str, str]]
"""How often each call was made, by kind and name."""


class Measured(paired.Paired):
    """A server of each kind goes there and back, and there again.

    What is asked for once and kept is not in it, so the last is counted.
    """

    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        self.recorder = self.useFixture(recorder.Recorder(self.processes))
        self._idle = {
            host: self.processes.at_work(host) for host in self.computes
        }

    def cost(self, case: servers.Case) -> Cost:
        """Return the calls of one migration of a new server.

        Those of both hosts, until neither does anything for it any more.
        """
        one = servers.One.boot(self, case)
        self._be_still()
        for _ in range(2):
            self.migrate(one.server)
            self._be_still()
            self._do_chores()
        with self.recorder.counting() as counts:
            self.migrate(one.server)
            self._be_still()
            self._do_chores()
        one.delete(self)
        self._be_still()
        found: Cost = collections.Counter()
        for (_host, kind, name), count in counts.items():
            if kind in KINDS:
                found[kind, name] += count
        return found

    @staticmethod
    def total(cost: Cost, kind: str) -> int:
        """Return the number of calls of one kind."""
        return sum(count for what, count in cost.items() if what[0] == kind)

    def _do_chores(self) -> None:
        """Do what ours does of its own accord, soon after a migration."""
        for host, compute in self.computes.items():
            services = getattr(compute.driver, '_pt', None)
            if services is None:
                continue
            with self.processes.within(host):
                for chore in services.worker.chores.values():
                    chore(nova_context.get_admin_context())
            self._be_still()

    def _be_still(self) -> None:
        self.wait_for(self._is_still, 'the hosts to be idle')

    def _is_still(self) -> bool:
        """Tell whether all threads of the hosts wait for something to do."""
        return all(
            self.processes.at_work(host) <= idle
            for host, idle in self._idle.items()
        )


class Stock(Measured):
    DRIVER = base.STOCK


class Ours(Measured):
    DRIVER = base.OURS
