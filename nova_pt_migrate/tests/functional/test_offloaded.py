# SPDX-License-Identifier: Apache-2.0
"""Ports with hardware offload migrate as with Nova's own driver."""

from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired


class StockTest(base.TwoComputes):
    """What there is to be as good as."""

    DRIVER = base.STOCK

    def test_it_moves(self) -> None:
        ports = self.ports.switchdev()
        server = self.boot(ports)
        whole = always.Always(self, server, ports)
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))


class OffloadedTest(ours.OurMigrations):
    def test_it_moves(self) -> None:
        server, whole = self.prepare(self.ports.switchdev())
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_moves_beside_devices_of_ours(self) -> None:
        server, whole = self.prepare(
            [*self.ports.switchdev(), *self.ports.direct(2)]
        )
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_comes_home(self) -> None:
        server, whole = self.prepare(
            [*self.ports.switchdev(), *self.ports.direct()]
        )
        self.double.faults.fail(
            'migrateToURI3', errors.internal('connection reset by peer')
        )
        self.migrate(server, 'failed')
        whole.check(always.End(base.SOURCE, 'failed'))


class PairTest(paired.Paired):
    def test_a_flavor_that_asks_for_a_pair_is_refused(self) -> None:
        for pairing, status in (('none', 'completed'), ('bond', 'error')):
            ports = self.ports.switchdev()
            server = self.paired(ports, pairing=pairing)
            self.migrate(server, status)
