# SPDX-License-Identifier: Apache-2.0
"""What cannot work is refused before anything is changed."""

from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours


class RefusedTest(ours.OurMigrations):
    def assert_untouched(self, ports: list[str]) -> None:
        server, whole = self.prepare(ports)

        self.migrate(server, 'error')

        whole.check(always.End(base.SOURCE, 'error'))
        self.assert_one_owner([], [])

    def test_no_free_device_at_the_destination(self) -> None:
        self.boot(self.ports.direct(base.VFS), host=base.DESTINATION)
        self.assert_untouched(self.ports.direct())
