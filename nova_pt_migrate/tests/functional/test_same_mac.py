# SPDX-License-Identifier: Apache-2.0
"""An ordinary port and a device share a MAC address, as a failover pair."""

from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours


class SameMacTest(ours.OurMigrations):
    def pair(self, first: str, second: str) -> list[str]:
        self.neutron._ports[second]['mac_address'] = self.neutron._ports[
            first
        ]['mac_address']
        return [first, second]

    def pairs(self, ordinary_first: bool) -> list[str]:
        """Return the ports of two pairs."""
        found = []
        for _ in range(2):
            (ordinary,) = self.ports.ordinary()
            (direct,) = self.ports.direct()
            found += self.pair(
                *((ordinary, direct) if ordinary_first else (direct, ordinary))
            )
        return found

    def assert_arrives(self, ordinary_first: bool) -> None:
        server, whole = self.prepare(self.pairs(ordinary_first))
        left = whole.places()

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))
        self.assert_one_owner(left, whole.places())

    def test_the_ordinary_port_comes_first(self) -> None:
        self.assert_arrives(True)

    def test_the_device_comes_first(self) -> None:
        self.assert_arrives(False)

    def test_they_stay_where_the_migration_fails(self) -> None:
        server, whole = self.prepare(self.pairs(True))
        left = whole.places()
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )

        self.migrate(server, 'failed')

        whole.check(always.End(base.SOURCE, 'failed'))
        self.assert_one_owner(left, left)
