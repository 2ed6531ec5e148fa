# SPDX-License-Identifier: Apache-2.0
"""What Nova allows a live migration to copy memory is for that alone."""

from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours


class CompletionTimeoutTest(ours.OurMigrations):
    """Nova allows a guest of 2 GiB two seconds, and aborts then."""

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(
            group='libvirt',
            live_migration_completion_timeout=1,
            live_migration_timeout_action='abort',
        )

    def test_a_slow_unplug_does_not_count(self) -> None:
        server, whole = self.prepare(self.ports.direct())
        self.double.settings.guest = guests.Together(3.0)
        self.double.settings.copy_seconds = 1.0

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_slow_copy_does(self) -> None:
        server, whole = self.prepare(self.ports.direct())
        self.double.settings.copy_seconds = base.NEVER

        self.migrate(server, 'cancelled')

        whole.check(always.End(base.SOURCE, 'cancelled'))

    def test_a_forced_completion_meanwhile_is_kept(self) -> None:
        server, whole = self.prepare(self.ports.direct())
        guest = self.double.settings.guest = Held()
        self.double.settings.copy_seconds = 1.0

        def force() -> None:
            self.wait_for(lambda: guest.devices, 'the unplug')
            (migration,) = self.api.api_get(
                f'/os-migrations?instance_uuid={server["id"]}'
            ).body['migrations']
            self.api.force_complete_migration(server['id'], migration['id'])
            self.release(server, *guest.devices)

        self.migrate(server, meanwhile=force)

        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertEqual(1, len(self.double.calls.of('suspend')))


class Held(guests.Never):
    """Releases nothing by itself.

    :ivar devices: that it was asked for
    """

    def __init__(self) -> None:
        self.devices: list[str] = []

    def asked(self, device: str, now: float) -> guests.Answer | None:
        self.devices.append(device)
        return None
