# SPDX-License-Identifier: Apache-2.0

from typing import Any

import fixtures
from nova.objects import migrate_data as migrate_data_obj
from nova.virt.libvirt import driver as libvirt_driver
import testtools

from nova_pt_migrate.compute import clearing

NONE, BOUNDED, UNBOUNDED, COMPLETED, FAILED, CANCELLED = range(6)


class Libvirt:
    VIR_DOMAIN_JOB_BOUNDED = BOUNDED
    VIR_DOMAIN_JOB_UNBOUNDED = UNBOUNDED


class Guest:
    def __init__(self, active: bool, job: int) -> None:
        self._active = active
        self.type = job

    def is_active(self) -> bool:
        return self._active

    def get_job_info(self) -> Any:
        return self


class TestRequest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.useFixture(
            fixtures.MockPatchObject(libvirt_driver, 'libvirt', new=Libvirt)
        )

    def asked(self, active: bool, job: int) -> bool:
        data = migrate_data_obj.LibvirtLiveMigrateData()
        clearing.request(None, Guest(active, job), data)
        return 'target_mdevs' in data

    def test_it_is_asked_where_the_guest_runs_and_no_job_is_left(self) -> None:
        for job in (NONE, FAILED, CANCELLED):
            self.assertTrue(self.asked(True, job), job)

    def test_never_where_the_guest_may_run_elsewhere(self) -> None:
        for job in (NONE, COMPLETED, FAILED):
            self.assertFalse(self.asked(False, job), job)
        self.assertIn('not cleared', self.log.output)

    def test_never_while_libvirt_still_migrates(self) -> None:
        for job in (BOUNDED, UNBOUNDED):
            self.assertFalse(self.asked(True, job), job)

    def test_mediated_devices_of_the_server_stay_named(self) -> None:
        data = migrate_data_obj.LibvirtLiveMigrateData(target_mdevs={'a': 'b'})
        clearing.request(None, Guest(True, NONE), data)
        self.assertEqual({'a': 'b'}, data.target_mdevs)
