# SPDX-License-Identifier: Apache-2.0
"""Migrations between two hosts of the double, beyond the contract."""

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.tests.functional.testing import double
from nova_pt_migrate.tests.functional.testing import hosts


class MigrationTest(double.DoubleTestCase):
    def migrate(self, domain: domains.Domain, xml: str | None = None) -> None:
        params = {'destination_xml': xml} if xml else {}
        domain.migrateToURI3(
            'qemu+tcp://there/system',
            params,
            fakelibvirt.VIR_MIGRATE_PERSIST_DEST,
        )

    def test_an_abort(self) -> None:
        self.double.settings.copy_seconds = 10
        domain = self.start('one')
        self.double.clock.later(3, domain.abortJob)
        self.assert_refused('canceled by client', self.migrate, domain)
        self.assertEqual(3, self.double.clock.now())
        self.assertEqual({'type': 5}, domain.jobStats())
        self.assertTrue(domain.isActive())
        self.assertEqual({}, self.double.hypervisors['there'].machines)

    def test_an_abort_without_a_job(self) -> None:
        domain = self.start('one')
        self.assert_refused('no job is active', domain.abortJob)

    def test_nothing_else_changes_the_domain_meanwhile(self) -> None:
        self.double.settings.copy_seconds = 10
        domain = self.start('one')
        self.double.clock.later(
            3,
            lambda: self.assert_refused(
                'cannot acquire state change lock',
                domain.attachDeviceFlags,
                hosts.vf(),
                double.LIVE,
            ),
        )
        self.migrate(domain)
        self.assertEqual(1, len(self.double.calls.of('attachDeviceFlags')))

    def test_a_live_document_with_another_device(self) -> None:
        domain = self.start('one')
        self.assert_refused(
            'does not match source',
            self.migrate,
            domain,
            hosts.domain('one', hosts.vf()),
        )
        self.assertTrue(domain.isActive())
