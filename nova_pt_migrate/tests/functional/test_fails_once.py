# SPDX-License-Identifier: Apache-2.0
"""Neutron, placement or Cinder fail once, before they act or after it.

Each call of either nova-compute for a migration, some of them after its end,
fails in one migration. The server is then what its end says, nothing is left
after some time, and it migrates again.
"""

from typing import Any

from keystoneauth1 import exceptions as keystone_exceptions
from neutronclient.common import exceptions as neutron_exceptions
from nova import exception
from nova.tests.fixtures import cinder

from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import waiting

VOLUME = cinder.CinderFixture.IMAGE_BACKED_VOL
FAILURES = {
    'neutron': lambda: neutron_exceptions.ConnectionFailed(reason='reset'),
    'placement': lambda: keystone_exceptions.ConnectFailure('reset'),
    'cinder': lambda: exception.CinderConnectionFailed(reason='reset'),
}
NEVER_KNOWN = 'attachment_create'
"""Makes an attachment whose ID only the lost answer has.

Nova has no call that would list it, and leaves it as well; it keeps no server
from migrating, and goes with the volume's reset in Cinder.
"""
OTHER = {base.SOURCE: base.DESTINATION, base.DESTINATION: base.SOURCE}


class FailsOnceTest(ours.OurMigrations):
    def fail_each(self, kind: str, late: bool) -> None:
        """Fail each call to one service, one a migration.

        :param late: the service has acted, and its answer is lost
        """
        server, whole = self.prepare(self.ports.direct(2), VOLUME)
        # Nova asks for some things once at each host, for others now and then.
        _, _, first, again = (
            self.calls_of_a_migration(server, kind, late) for _ in range(4)
        )
        found = [call for call in first if call in again]
        self.assertTrue(found)
        for leaves, name in found:
            here = self.host(server)
            host = here if leaves else OTHER[here]
            self.fail_once(server, whole, host, kind, name, late)

    def calls_of_a_migration(
        self, server: dict[str, Any], kind: str, late: bool
    ) -> list[tuple[bool, str]]:
        """Migrate, and return what was called and whether by the source."""
        self.wait_for_leases(server)
        found: dict[tuple[bool, str], None] = {}
        here = self.host(server)

        def note(point: processes.Point, after: bool) -> None:
            known = not (late and point.name == NEVER_KNOWN)
            if point.kind == kind and after == late and known:
                found.setdefault((point.host == here, point.name))

        self.processes.meet = note
        self.migrate(server)
        self.processes.meet = lambda point, after: None
        return list(found)

    def wait_for_leases(self, server: dict[str, Any]) -> None:
        """Wait until no host has anything left to see to.

        One that has asks Neutron before a migration as well, and whether it
        has depends on how soon the migration follows the one before.
        """
        leases = [each.driver._pt.lease for each in self.computes.values()]
        self.wait_for(
            lambda: not any(each.may_have(server['id']) for each in leases),
            'the leases to end',
        )

    def host(self, server: dict[str, Any]) -> str:
        return str(self.api.get_server(server['id'])[always.HOST])

    def fail_once(
        self,
        server: dict[str, Any],
        whole: always.Always,
        host: str,
        kind: str,
        name: str,
        late: bool,
    ) -> None:
        failed: list[str] = []

        def meet(point: processes.Point, after: bool) -> None:
            met = str(point) == f'{host}:{kind}:{name}' and after == late
            if met and not failed:
                failed.append(name)
                raise FAILURES[kind]()

        self.wait_for_leases(server)
        known = len(self.migrations(server))
        self.processes.meet = meet
        self.api.post_server_action(
            server['id'],
            {'os-migrateLive': {'host': None, 'block_migration': 'auto'}},
        )
        what = f'{host} {kind} {name} {"late" if late else ""}'
        # Some calls are made when it has ended, to see what is left.
        self.wait_for(
            lambda: (
                bool(failed) and self.is_ended(server, known, waiting.ENDED)
            ),
            what,
            failed,
        )
        self.processes.meet = lambda point, after: None
        end = always.End(
            self.host(server), self.migrations(server)[-1], volumes=(VOLUME,)
        )
        left: list[str] = []

        def is_whole() -> bool:
            try:
                whole.check(end)
            except self.failureException as exc:
                left[:] = [str(exc)]
                return False
            return True

        self.wait_for(is_whole, f'the end after {what}', left)

    def test_neutron(self) -> None:
        self.fail_each('neutron', late=False)

    def test_neutron_is_late(self) -> None:
        self.fail_each('neutron', late=True)

    def test_placement(self) -> None:
        self.fail_each('placement', late=False)

    def test_placement_is_late(self) -> None:
        self.fail_each('placement', late=True)

    def test_cinder(self) -> None:
        self.fail_each('cinder', late=False)

    def test_cinder_is_late(self) -> None:
        self.fail_each('cinder', late=True)
