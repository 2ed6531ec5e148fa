# SPDX-License-Identifier: Apache-2.0
"""A server has a device by its flavor as well, which VFIO migrates."""

from typing import Any

import fixtures
from nova import exception

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import alias_devices
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional.sweep import sweeping


class Moving(alias_devices.AliasDevice):
    """Servers with such a device move, or do not."""

    def abort(self, server: dict[str, Any]) -> None:
        """Abort its only migration while its memory is copied."""
        self.wait_for(
            lambda: self.double.calls.of('migrateToURI3'), 'the copy'
        )
        (migration,) = self.api.api_get(
            f'/os-migrations?instance_uuid={server["id"]}'
        ).body['migrations']
        self.api.api_delete(
            f'/servers/{server["id"]}/migrations/{migration["id"]}'
        )

    def assert_arrives(self) -> None:
        server, whole = self.boot_with_alias()
        left = whole.places()

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_one_owner(left, whole.places())

    def assert_stays(self) -> None:
        server, whole = self.boot_with_alias()
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )

        self.migrate(server, 'failed')

        whole.check(always.End(base.SOURCE, 'failed'))


class AliasDeviceTest(Moving):
    def test_it_is_aborted(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        server, whole = self.boot_with_alias()
        self.migrate(server, 'cancelled', lambda: self.abort(server))
        whole.check(always.End(base.SOURCE, 'cancelled'))

    def test_nothing_leaks_when_it_arrives(self) -> None:
        self.assert_arrives()

    def test_nothing_leaks_when_it_stays(self) -> None:
        self.assert_stays()


class UnsharedTest(Moving):
    """As above, without a shared instance path."""

    def setUp(self) -> None:
        super().setUp()
        self.unshare_instance_path()

    def test_nothing_leaks_when_it_arrives(self) -> None:
        self.assert_arrives()

    def test_nothing_leaks_when_it_stays(self) -> None:
        self.assert_stays()


class AliasOnlyTest(Moving):
    """The server has no device by its ports."""

    def setUp(self) -> None:
        super().setUp()
        self.server, self.whole = self.boot_with_alias(0, ordinary=1)

    def check_failed(self, status: str = 'failed') -> None:
        """It is whole, nothing is held elsewhere, and an event says why."""
        self.whole.check(always.End(base.SOURCE, status))
        tracker = self.computes[base.DESTINATION].manager.rt
        self.wait_for(
            lambda: not pci_tracker.held(tracker), 'the devices to be freed'
        )

    def test_it_arrives(self) -> None:
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.migrate(self.server)
        self.whole.check(always.End(base.SOURCE, 'completed'))

    def test_libvirt_does_not_move_it(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(self.server, 'failed')
        self.check_failed()
        self.assertIn(
            'no route',
            ours.shown(self, self.server, 'pt_migrate_move_failed'),
        )
        self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_is_aborted(self) -> None:
        self.double.settings.copy_seconds = base.NEVER
        self.migrate(self.server, 'cancelled', lambda: self.abort(self.server))
        self.check_failed('cancelled')

    def test_its_preparation_fails(self) -> None:
        with sweeping.preparation_fails():
            self.migrate(self.server, 'failed')
        self.check_failed()

    def test_another_server_is_faster(self) -> None:
        """Nova's claim fails with what turns a server into ERROR."""
        tracker = self.computes[base.DESTINATION].manager.rt
        free = tracker.pci_tracker.stats.get_free_devs
        with fixtures.MockPatchObject(
            tracker,
            'claim_pci_devices',
            side_effect=exception.PciDeviceRequestFailed(requests=[]),
        ):
            self.migrate(self.server, 'error')
        self.assertEqual(base.VFS + 2 + 4, len(free()))
        self.whole.check(always.End(base.SOURCE, 'error'))

    def test_the_source_dies_while_memory_is_copied(self) -> None:
        self.double.settings.copy_seconds = base.NEVER

        def die() -> None:
            self.wait_for(
                lambda: self.double.calls.of('migrateToURI3'), 'the copy'
            )
            self.kill(base.SOURCE)
            self.start_again(base.SOURCE)

        self.migrate(self.server, 'failed', die)
        self.check_failed()

    def test_the_source_dies_when_it_has_arrived(self) -> None:
        killed = self.processes.kill_at(
            base.SOURCE, 'libvirt', 'migrateToURI3', after=True
        )

        def revive() -> None:
            self.wait_for(killed.is_set, 'the crash')
            self.start_again(base.SOURCE)

        self.migrate(self.server, 'completed', revive)
        self.whole.check(always.End(base.DESTINATION, 'completed'))


class AliasOnlyUnsharedTest(AliasOnlyTest):
    """As above, without a shared instance path."""

    def setUp(self) -> None:
        super().setUp()
        self.unshare_instance_path()
