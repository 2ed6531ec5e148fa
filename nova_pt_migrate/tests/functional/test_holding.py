# SPDX-License-Identifier: Apache-2.0
"""Nova's periodic task comes while devices are claimed for a server."""

from collections.abc import Callable
from typing import Any

import fixtures

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours

CHECKED = 'check_source_migrate_data_at_dest'
PREPARE = 'pre_live_migration'


class HoldingTest(ours.OurMigrations):
    def setUp(self) -> None:
        super().setUp()
        self.stop_settling()
        self.server, self.whole = self.prepare(self.ports.direct(2))
        self.there = self.computes[base.DESTINATION]

    def look(self) -> None:
        """What Nova's periodic task does at the destination."""
        self.there.manager.rt.update_available_resource(
            self.ctxt, base.DESTINATION
        )

    def held(self) -> int:
        return len(
            pci_tracker.held(self.there.manager.rt).get(self.server['id'], ())
        )

    def around(
        self,
        hook: str,
        before: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Do something before or after a hook at the destination."""
        original = getattr(self.there.driver, hook)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            before()
            done = original(*args, **kwargs)
            after()
            return done

        self.useFixture(
            fixtures.MockPatchObject(self.there.driver, hook, new=wrapped)
        )

    def assert_stays(self, status: str) -> None:
        self.assertEqual(0, self.held())
        self.whole.check(always.End(base.SOURCE, status))
        self.assert_one_owner([], [])

    def test_it_leaves_what_is_claimed_for_a_server_that_comes(self) -> None:
        seen: list[int] = []

        def look() -> None:
            self.look()
            seen.append(self.held())

        self.around(CHECKED, after=look)
        self.around(PREPARE, before=look)

        self.migrate(self.server)

        self.assertEqual([2, 2], seen)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_what_it_frees_before_is_missed_in_the_check(self) -> None:
        self.around(CHECKED, before=self.look)

        self.migrate(self.server, 'error')

        self.assertIn('again', ours.shown(self, self.server))
        self.assertIn(
            'again',
            ours.shown(self, self.server, 'pt_migrate_destination'),
        )
        self.assert_stays('error')

    def test_what_is_freed_after_the_check_is_missed_too(self) -> None:
        def free() -> None:
            pci_tracker.free(
                self.ctxt, self.there.manager.rt, self.server['id']
            )

        self.around(PREPARE, before=free)

        self.migrate(self.server, 'failed')

        shown = ours.shown(self, self.server, 'pt_migrate_destination')
        self.assertIn('again', shown)
        self.assert_stays('failed')
