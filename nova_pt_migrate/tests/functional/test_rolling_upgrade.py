# SPDX-License-Identifier: Apache-2.0
"""Hosts with and without our driver, and with several versions of it."""

from typing import Any

from nova_pt_migrate.core import protocols
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours


class Mixed(ours.OurMigrations):
    """Helpers for hosts that differ."""

    def all_ports(self) -> list[str]:
        return [
            *self.ports.ordinary(),
            *self.ports.direct(2),
            self.ports.direct_physical(),
        ]

    def start_third(self) -> None:
        """Start a host with our driver, to be tried last."""
        self.start_compute(
            hostname=base.THIRD, pci_info=self.pci_info(base.THIRD)
        )
        self.boot(self.ports.direct(), host=base.THIRD)
        self.double.calls.clear()

    def assert_moves(self) -> None:
        server, whole = self.prepare(self.all_ports())

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))

    def assert_refused(self, *words: str) -> None:
        server, whole = self.prepare(self.all_ports())

        self.migrate(server, 'error')

        whole.check(always.End(base.SOURCE, 'error'))
        self.assert_one_owner([], [])
        reason = ours.shown(self, server)
        for word in words:
            self.assertIn(word, reason)


class FromStockTest(Mixed):
    DRIVERS = {base.SOURCE: base.STOCK}

    def test_completes(self) -> None:
        self.assert_moves()

    def test_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_moves()


class ToStockTest(Mixed):
    DRIVERS = {base.DESTINATION: base.STOCK}

    def test_is_refused(self) -> None:
        self.assert_refused('allow_stock_destination')

    def test_is_refused_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_refused('allow_stock_destination')

    def test_a_third_host_is_tried(self) -> None:
        self.start_third()
        server, whole = self.prepare(self.all_ports())

        self.migrate(server)

        whole.check(always.End(base.THIRD, 'completed'))

    def test_a_server_without_devices_of_ours(self) -> None:
        server, whole = self.prepare(self.ports.ordinary())

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))


class ToStockAllowedTest(Mixed):
    DRIVERS = {base.DESTINATION: base.STOCK}

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(group='pt_migrate', allow_stock_destination=True)

    def test_completes(self) -> None:
        self.assert_moves()

    def test_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_moves()

    def test_there_and_back(self) -> None:
        server, whole = self.prepare(self.all_ports())

        self.migrate(server)
        self.migrate(server)

        whole.check(always.End(base.SOURCE, 'completed'))

    def test_it_stays_where_the_migration_fails(self) -> None:
        server, whole = self.prepare(self.all_ports())
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )

        self.migrate(server, 'failed')

        whole.check(always.End(base.SOURCE, 'failed'))


class VersionsTest(Mixed):
    """Both run our driver, but not the same version."""

    def destination_speaks(self, oldest: int, newest: int) -> None:
        driver: Any = self.computes[base.DESTINATION].driver
        driver._pt.protocols = protocols.Protocols(oldest, newest)

    def test_a_newer_destination_that_knows_ours(self) -> None:
        self.destination_speaks(
            protocols.SPOKEN.oldest, protocols.SPOKEN.newest + 1
        )
        self.assert_moves()

    def test_a_newer_destination_that_does_not(self) -> None:
        newer = protocols.SPOKEN.newest + 1
        self.destination_speaks(newer, newer)
        self.assert_refused('on the source host is too old')

    def test_a_destination_that_is_too_old(self) -> None:
        older = protocols.SPOKEN.oldest - 1
        self.destination_speaks(older, older)
        self.assert_refused('on the destination host is too old')
