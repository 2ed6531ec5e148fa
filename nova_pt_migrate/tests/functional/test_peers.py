# SPDX-License-Identifier: Apache-2.0
"""A host asks another one what its libvirt says of a server."""

from typing import Any

import fixtures
from oslo_utils.fixture import uuidsentinel as uuids

from nova_pt_migrate.compute.rpc import peers
from nova_pt_migrate.core import domain_words
from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import handed_over
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import shared

Domain = domain_words.Domain


def ask(test: Any, server: str) -> Domain:
    """Have the destination ask the source."""
    with test.processes.within(base.DESTINATION):
        return peers.Peers().domain(base.SOURCE, server)


class PeersTest(shared.Shared, ours.OurMigrations):
    """Both hosts have our driver."""

    def test_what_libvirt_says(self) -> None:
        server, _ = self.prepare(self.ports.direct(1))
        machine = self.double.hypervisors[base.SOURCE].find(server['id'])
        self.assertIs(Domain.RUNS, ask(self, server['id']))
        machine.set_state(domains.PAUSED, states.Paused.USER)
        self.assertIs(Domain.PAUSED, ask(self, server['id']))
        machine.set_state(domains.PAUSED, states.Paused.MIGRATION)
        self.assertIs(Domain.HELD, ask(self, server['id']))
        machine.set_state(domains.RUNNING, states.Running.BOOTED)

    def test_of_a_domain_that_it_does_not_know(self) -> None:
        self.assertIs(Domain.ABSENT, ask(self, uuids.nobody))

    def test_of_what_is_no_server(self) -> None:
        self.assertIs(Domain.SILENT, ask(self, 'all of them'))

    def test_while_libvirt_does_not_answer(self) -> None:
        hypervisor = self.double.hypervisors[base.SOURCE]
        hypervisor.end_libvirtd()
        self.addCleanup(hypervisor.start_libvirtd)
        self.assertIs(Domain.SILENT, ask(self, uuids.nobody))


class StockPeerTest(handed_over.HandedOver):
    """The destination has Nova's driver, and says so at once."""

    DRIVERS = {base.DESTINATION: base.STOCK}

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(peers, 'TIMEOUT', base.NEVER))

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(group='pt_migrate', allow_stock_destination=True)

    def test_a_guest_that_was_handed_over_is_left_alone(self) -> None:
        server, whole = self.prepare(self.ports.direct(1))
        self.restart(server, base.SOURCE, states.Phase.FINISHED)
        self.assert_stuck(server, Domain.UNASKED.value)
        there = self.machine(base.DESTINATION, server)
        self.assertEqual(domains.RUNNING, there.state)
        # An operator sees that it runs there, and ends what is left here.
        here = self.machine(base.SOURCE, server)
        here.stop()
        self.double.hypervisors[base.SOURCE].undefine(here)
        self.settled(server)
        whole.check(always.End(base.DESTINATION, 'completed'))
