# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong in a destination's check is a refusal of that host."""

import re
from typing import Any

from nova import objects

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes


class CheckFailsTest(ours.OurMigrations):
    def setUp(self) -> None:
        super().setUp()
        self.stop_settling()
        self.server, self.whole = self.prepare(self.ports.direct(2))

    def claim(self) -> Any:
        """Claim at the destination; return its tracker."""
        tracker = self.computes[base.DESTINATION].manager.rt
        instance = objects.Instance.get_by_uuid(
            self.ctxt, self.server['id'], expected_attrs=['pci_requests']
        )
        tracker.claim_pci_devices(self.ctxt, instance.pci_requests, None)
        return tracker

    def assert_untouched(self, reason: str) -> None:
        self.migrate(self.server, 'error')

        tracker = self.computes[base.DESTINATION].manager.rt
        self.assertEqual({}, pci_tracker.held(tracker))
        self.assertIn(reason, ours.shown(self, self.server))
        self.whole.check(always.End(base.SOURCE, 'error'))
        self.assert_one_owner([], [])

    def fail_once(self, kind: str, name: str, begun: bool) -> None:
        """Let the destination's next such call fail.

        :param begun: the first that comes after Nova has begun to claim
        """
        left = ['once']
        claiming: list[str] = []

        def meet(point: processes.Point, after: bool) -> None:
            if point.name == 'check_can_live_migrate_source':
                claiming.append('now')
            if (
                (point.host, point.kind) == (base.DESTINATION, kind)
                and re.fullmatch(name, point.name)
                and bool(claiming) == begun
                and left
            ):
                left.clear()
                raise RuntimeError('no answer')

        self.processes.meet = meet

    def test_the_database_while_nova_claims(self) -> None:
        self.fail_once('db', 'pci_device_update', True)
        self.assert_untouched('no answer')

    def test_the_database_while_the_host_names_itself(self) -> None:
        self.fail_once('db', 'migration_update', True)
        self.assert_untouched('no answer')

    def test_the_database_while_an_earlier_claim_is_freed(self) -> None:
        self.claim()
        self.fail_once('db', 'pci_device_update', False)
        self.assert_untouched('no answer')

    def test_placement(self) -> None:
        self.fail_once('placement', '.*', False)
        self.assert_untouched('no answer')

    def test_a_guest_of_the_server_runs_there(self) -> None:
        """Its devices must not be taken from it."""
        here = self.double.hypervisors[base.SOURCE].find(self.server['id'])
        there = self.double.hypervisors[base.DESTINATION].receive(
            documents.text(here.persistent), None
        )
        tracker = self.claim()

        self.migrate(self.server, 'error')

        self.assertIn('runs a guest of server', ours.shown(self, self.server))
        self.assertEqual(
            2, len(pci_tracker.held(tracker).get(self.server['id'], []))
        )
        self.assertTrue(there.active)
