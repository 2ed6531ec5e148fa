# SPDX-License-Identifier: Apache-2.0
"""What is kept with a server is deleted, by whoever saves what is older."""

from typing import Any

import ddt
import fixtures
from nova import objects

from nova_pt_migrate.compute import system_metadata
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.unit.guest import managed

OURS = (system_metadata.ORIGINALS, system_metadata.BONDS)
CALLS = {
    'preparation': ('rpc', 'pre_live_migration'),
    'unplug': ('libvirt', 'detachDeviceAlias'),
    'move': ('libvirt', 'migrateToURI3'),
    'arrival': ('rpc', 'post_live_migration_at_destination'),
    'plug': ('libvirt', 'attachDeviceFlags'),
}
"""The first call of each phase of a migration."""


class Losing(crashes.Crashes):
    """A server with a volume migrates, and its keys are lost."""

    def setUp(self) -> None:
        super().setUp()
        # Cinder's own answer: a list of what the server has of the volume.
        self.useFixture(
            fixtures.MockPatch(
                'nova.volume.cinder.API.attachment_get_all',
                lambda _api, _context, instance_id, volume_id: [
                    {'id': key, 'connection_info': {}}
                    for key, value in self.cinder.volume_to_attachment[
                        volume_id
                    ].items()
                    if value['instance_uuid'] == instance_id
                ],
            )
        )
        self.volume = self.cinder.IMAGE_BACKED_VOL
        self.server, self.whole = self.prepare(
            self.ports.direct(), self.volume
        )
        self.lost: set[str] = set()

    def lose(self) -> None:
        """Save all that the server has but our keys."""
        instance = objects.Instance.get_by_uuid(
            self.ctxt, self.server['id'], expected_attrs=['system_metadata']
        )
        mine = {k for k in instance.system_metadata if k.startswith(OURS)}
        for key in mine:
            del instance.system_metadata[key]
        if mine:
            instance.save()
        self.lost |= mine

    def lose_at(self, name: str, then: Any = lambda: None) -> None:
        """Lose them before a call is made for the first time.

        :param name: of the call in :data:`CALLS`
        """
        met: list[bool] = []

        def meet(point: processes.Point, after: bool) -> None:
            if (point.kind, point.name) == CALLS[name] and not met:
                met.append(True)
                self.lose()
                then()

        self.processes.meet = meet
        self.addCleanup(lambda: self.assertEqual([True], met))
        self.addCleanup(lambda: self.assertNotEqual(set(), self.lost))

    def check(self, host: str, status: str) -> None:
        self.processes.meet = lambda point, after: None
        self.whole.check(always.End(host, status, volumes=(self.volume,)))


@ddt.ddt
class LostKeysTest(Losing):
    @ddt.data(*CALLS)
    def test_it_migrates(self, name: str) -> None:
        self.lose_at(name)
        self.migrate(self.server)
        self.check(base.DESTINATION, 'completed')

    @ddt.data(*sorted(set(CALLS) - {'arrival'}))
    def test_it_fails(self, name: str) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.lose_at(name)
        self.migrate(self.server, 'failed')
        self.check(base.SOURCE, 'failed')

    @ddt.data(*CALLS)
    def test_the_source_dies(self, name: str) -> None:
        self.lose_at(name, lambda: self.kill(base.SOURCE))
        self.begin(self.server)
        self.wait_for(
            lambda: not self.processes.is_alive(base.SOURCE), 'the crash'
        )
        self.start_again(base.SOURCE)
        self.settled(self.server)
        there = name in ('arrival', 'plug')
        self.check(
            base.DESTINATION if there else base.SOURCE,
            'completed' if there else 'failed',
        )


class LostBondTest(paired.Paired):
    """What is written down of a bond is written again while it is wanted."""

    def test_it_is_written_again(self) -> None:
        (port,) = self.ports.direct()
        server = self.paired([port], pairing='bond', bond='manage')
        guest = managed.Managed(mac=self.ports.show(port)['mac_address'])
        self.agents[server['id']] = guest
        healer = self.computes[base.SOURCE].driver._pt.healer

        def noted() -> Any:
            """Look; another look may be under way."""
            with self.processes.within(base.SOURCE):
                healer._check(server['id'])
            found = objects.Instance.get_by_uuid(
                self.ctxt, server['id'], expected_attrs=['system_metadata']
            )
            bonds = system_metadata.read(found, system_metadata.BONDS)
            return found if bonds == {guest.mac: guest.twin} else None

        for _ in range(2):
            instance = self.wait_for(noted, 'the note of the bond')
            del instance.system_metadata[system_metadata.BONDS + guest.mac]
            instance.save()
