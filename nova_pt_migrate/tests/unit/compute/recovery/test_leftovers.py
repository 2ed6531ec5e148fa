# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import fixtures
from nova.objects import migrate_data as migrate_data_obj
import testtools

from nova_pt_migrate.compute.recovery import leftovers
from nova_pt_migrate.compute.recovery import whereabouts as hosts
from nova_pt_migrate.core import whereabouts


class TestRequest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def request(
        self,
        source: whereabouts.Source,
        data: migrate_data_obj.LibvirtLiveMigrateData,
    ) -> migrate_data_obj.LibvirtLiveMigrateData:
        with mock.patch.object(
            hosts, 'on_source', autospec=True, return_value=source
        ):
            leftovers.clear_destination(None, None, data)
        return data

    def test_it_is_asked_where_the_guest_runs_and_no_job_is_left(self) -> None:
        data = self.request(
            whereabouts.Source.RUNNING,
            migrate_data_obj.LibvirtLiveMigrateData(
                is_shared_instance_path=False
            ),
        )
        self.assertEqual({}, data.target_mdevs)
        self.assertFalse(data.is_shared_instance_path)

    def test_never_where_the_guest_may_run_elsewhere(self) -> None:
        for source in set(whereabouts.Source) - {whereabouts.Source.RUNNING}:
            data = self.request(
                source,
                migrate_data_obj.LibvirtLiveMigrateData(
                    is_shared_instance_path=False
                ),
            )
            self.assertNotIn('target_mdevs', data)
            self.assertTrue(data.is_shared_instance_path)
        self.assertIn('not cleared', self.log.output)

    def test_mediated_devices_of_the_server_stay_named(self) -> None:
        data = self.request(
            whereabouts.Source.RUNNING,
            migrate_data_obj.LibvirtLiveMigrateData(target_mdevs={'a': 'b'}),
        )
        self.assertEqual({'a': 'b'}, data.target_mdevs)
