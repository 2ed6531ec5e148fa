# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import fixtures
from nova.objects import instance as instance_obj
from nova.objects import migrate_data as migrate_data_obj
from nova.objects import migration as migration_obj
from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.compute import local_domain
from nova_pt_migrate.compute.recovery import leftovers
from nova_pt_migrate.core import domain_words
from nova_pt_migrate.core import whereabouts

Domain = domain_words.Domain


class TestClearDestination(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.data = migrate_data_obj.LibvirtLiveMigrateData(
            is_shared_instance_path=False,
            migration=migration_obj.Migration(dest_compute='there'),
        )

    def request(self, source: Domain, destination: Domain) -> None:
        asked: list[tuple[str, str]] = []

        def ask(host: str, server: str) -> Domain:
            asked.append((host, server))
            return destination

        with mock.patch.object(
            local_domain, 'look', autospec=True, return_value=source
        ):
            leftovers.clear_destination(
                None, instance_obj.Instance(uuid=uuids.server), self.data, ask
            )
        if whereabouts.ROWS[source].by_destination:
            self.assertEqual([('there', uuids.server)], asked)
        else:
            self.assertEqual([], asked)

    def test_it_is_asked_where_the_guest_runs_and_no_job_is_left(self) -> None:
        self.request(Domain.RUNS, Domain.SILENT)
        self.assertEqual({}, self.data.target_mdevs)
        self.assertFalse(self.data.is_shared_instance_path)

    def test_or_is_paused_by_its_user_and_never_came_there(self) -> None:
        self.request(Domain.PAUSED, Domain.ABSENT)
        self.assertEqual({}, self.data.target_mdevs)

    def test_never_where_the_guest_may_run_elsewhere(self) -> None:
        for source in set(Domain) - {Domain.RUNS}:
            for destination in Domain:
                if (source, destination) == (Domain.PAUSED, Domain.ABSENT):
                    continue
                self.data.is_shared_instance_path = False
                self.request(source, destination)
                self.assertNotIn('target_mdevs', self.data)
                self.assertTrue(self.data.is_shared_instance_path)
        self.assertIn('not cleared', self.log.output)

    def test_mediated_devices_of_the_server_stay_named(self) -> None:
        self.data.target_mdevs = {'a': 'b'}
        self.request(Domain.RUNS, Domain.SILENT)
        self.assertEqual({'a': 'b'}, self.data.target_mdevs)
