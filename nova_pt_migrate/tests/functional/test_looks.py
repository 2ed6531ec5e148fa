# SPDX-License-Identifier: Apache-2.0
"""A guest is asked once for all hosts that a request tries, and once more."""

from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import bonded
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import processes

CHECK = 'check_can_live_migrate_source'
GO = 'pre_live_migration'


class LooksTest(paired.Paired):
    """The destination refuses, and the third host does not."""

    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        ports = self.ports.direct()
        self.server = self.paired(ports, pairing='bond', bond='observe')
        mac = self.ports.show(ports[0])['mac_address']
        self.agents[self.server['id']] = bonded.Bonded(mac, self.has_device)
        self.whole = always.Always(self, self.server, ports, own=1)
        self.start_compute(
            hostname=base.THIRD, pci_info=self.pci_info(base.THIRD)
        )
        self.boot(self.ports.direct(), host=base.THIRD)
        self.double.calls.clear()
        self.double.faults.fail(
            'detachFlags', errors.internal('no VFIO'), host=base.DESTINATION
        )
        self.asked: list[str] = []
        self.processes.meet = self.meet

    def has_device(self) -> bool:
        return any(
            machine.active and documents.passthrough(machine.live)
            for hypervisor in self.double.hypervisors.values()
            if (machine := hypervisor.machines.get(self.server['id']))
        )

    def meet(self, point: processes.Point, after: bool) -> None:
        """Take down who asks the source, and when the source asks the guest.

        Many questions to the guest in a row are one.
        """
        if after:
            return
        if point.kind == 'rpc' and point.name in (CHECK, GO):
            self.asked.append(f'{point.host} {point.name}')
        asks_guest = (point.host, point.kind) == (base.SOURCE, 'agent')
        if asks_guest and self.asked[-1:] not in ([], ['agent']):
            self.asked.append('agent')

    def migrated(self) -> list[str]:
        self.migrate(self.server)
        self.whole.check(always.End(base.THIRD, 'completed'))
        return self.asked

    def test_the_guest_is_asked_once_and_before_the_first_step(self) -> None:
        self.assertEqual(
            [
                f'{base.DESTINATION} {CHECK}',
                'agent',
                f'{base.THIRD} {CHECK}',
                f'{base.SOURCE} {GO}',
                'agent',
            ],
            self.migrated(),
        )

    def test_again_for_another_host_when_it_is_long_ago(self) -> None:
        compute = self.computes[base.SOURCE]
        seconds = iter(range(0, 10**6, int(readiness.LASTING)))
        compute.driver._pt.readiness_cache = readiness.ReadinessCache(
            lambda: next(seconds)
        )
        self.assertEqual(
            [
                f'{base.DESTINATION} {CHECK}',
                'agent',
                f'{base.THIRD} {CHECK}',
                'agent',
            ],
            self.migrated()[:4],
        )

    def test_again_for_another_request(self) -> None:
        self.double.faults.fail(
            'detachFlags', errors.internal('no VFIO'), host=base.THIRD
        )
        self.migrate(self.server, 'error')
        self.assertEqual(1, self.asked.count('agent'))
        self.asked.clear()

        self.migrate(self.server)
        self.assertEqual('agent', self.asked[1])
