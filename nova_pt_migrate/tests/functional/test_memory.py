# SPDX-License-Identifier: Apache-2.0
"""A host without the memory that VFIO pins is refused."""

from nova_pt_migrate.compute.claims import fitness
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired


class MemoryTest(paired.Paired):
    def setUp(self) -> None:
        super().setUp()
        self.server, self.whole = self.prepare(self.ports.direct(2))
        self.needed = (
            self.api.get_server(self.server['id'])['flavor']['ram']
            + fitness.OVERHEAD_MIB
        )

    def test_too_little(self) -> None:
        self.memory[base.DESTINATION] = self.needed - 1

        self.migrate(self.server, 'error')

        self.whole.check(always.End(base.SOURCE, 'error'))
        self.assert_one_owner([], [])
        self.assertEqual([], self.double.calls.of('detachFlags'))
        for word in (base.DESTINATION, str(self.needed), 'choose another'):
            self.assertIn(word, ours.shown(self, self.server))
        self.assertIn('pt_migrate_destination', self.events(self.server))

    def test_just_enough(self) -> None:
        self.memory[base.DESTINATION] = self.needed
        self.memory[base.SOURCE] = 0

        self.migrate(self.server)

        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_third_host_is_tried(self) -> None:
        self.start_compute(
            hostname=base.THIRD, pci_info=self.pci_info(base.THIRD)
        )
        self.boot(self.ports.direct(), host=base.THIRD)
        self.memory[base.DESTINATION] = 0

        self.migrate(self.server)

        self.whole.check(always.End(base.THIRD, 'completed'))
        self.assertIn('available memory', ours.shown(self, self.server))

    def test_a_server_without_devices_is_none_of_ours(self) -> None:
        server = self.boot(self.ports.ordinary())
        self.memory[base.DESTINATION] = 0

        self.migrate(server)
