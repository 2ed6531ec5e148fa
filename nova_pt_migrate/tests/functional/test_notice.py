# SPDX-License-Identifier: Apache-2.0
"""Devices without a standby are announced before they are unplugged."""

from typing import Any

from nova_pt_migrate.testing import documents
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import waiting

NOTICE = 'pt_migrate_notice'
LONG = '600'


class NoticeTest(crashes.Crashes, paired.Paired):
    LEASE = 600.0

    def announced(self, seconds: str = LONG) -> None:
        """Begin to migrate a server, and wait until its guest is told."""
        self.port_ids = self.ports.direct(2)
        self.server = self.paired(self.port_ids, notice=seconds)
        self.whole = always.Always(self, self.server, self.port_ids)
        self.begin(self.server)
        self.wait_for(lambda: NOTICE in self.story(), 'the event')

    def story(self, api: Any = None) -> dict[str, Any]:
        """Return the events of its live migration, by name."""
        api = api or self.api
        action = next(
            action
            for action in api.get_instance_actions(self.server['id'])
            if action['action'] == 'live-migration'
        )
        events = api.api_get(
            f'/servers/{self.server["id"]}/os-instance-actions/'
            f'{action["request_id"]}'
        ).body['instanceAction']['events']
        return {event['event']: event for event in events}

    def told(self) -> dict[str, Any]:
        """Likewise, when all is told."""
        for compute in self.computes.values():
            self.assertTrue(compute.driver._pt.stories.wait(waiting.PATIENCE))
        return self.story()

    def assert_untouched(self) -> None:
        self.assertEqual([], self.double.calls.of(ours.OUR_UNPLUG, ours.PLUG))

    def test_its_owner_reads_it_while_there_is_time(self) -> None:
        self.announced()
        event = self.story()[NOTICE]
        for port in self.port_ids:
            mac = self.ports.show(port)['mac_address']
            self.assertIn(f'{port} ({mac})', event['details'])
        self.assertIn('in 600 s', event['details'])
        self.assertIn(f'has {self.UNPLUG_TIMEOUT:g} s then', event['details'])
        owner = self.api_fixture.api
        owner.microversion = self.microversion
        for seen in (event, self.story(owner)[NOTICE]):
            self.assertIsNone(seen['finish_time'])
            self.assertIsNone(seen['result'])
        self.assert_untouched()
        self.abort()

    def test_an_abort_is_honoured_at_once(self) -> None:
        self.announced()
        self.abort()
        events = self.told()
        self.assertEqual('Error', events[NOTICE]['result'])
        self.assertIn('pt_migrate_aborted', events)
        self.assert_untouched()
        self.whole.check(always.End(base.SOURCE, 'cancelled'))

    def abort(self) -> None:
        (migration,) = self.api.api_get(
            f'/os-migrations?instance_uuid={self.server["id"]}'
        ).body['migrations']
        self.api.api_delete(
            f'/servers/{self.server["id"]}/migrations/{migration["id"]}'
        )
        self.settled(self.server)
        self.assertEqual(['cancelled'], self.migrations(self.server))

    def test_a_nova_compute_that_dies_meanwhile(self) -> None:
        self.announced()
        dead = self.computes[base.SOURCE].driver
        self.kill(base.SOURCE)
        # A thread of the dead one would wait until the time has passed.
        dead._pt.events.wake(self.server['id'])
        self.start_again(base.SOURCE)
        self.settled(self.server)
        self.assert_untouched()
        self.whole.check(always.End(base.SOURCE, 'failed'))

    def test_a_guest_that_releases_its_devices_is_waited_for_no_longer(
        self,
    ) -> None:
        self.announced()
        machine = self.double.hypervisors[base.SOURCE].find(self.server['id'])
        for device in documents.passthrough(machine.document):
            self.assertEqual([], self.double.calls.of('migrateToURI3'))
            machine.eject(str(documents.alias(device)))
        self.settled(self.server)
        self.assertEqual([], self.double.calls.of(ours.OUR_UNPLUG))
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertEqual('Success', self.told()[NOTICE]['result'])

    def test_it_goes_on_when_the_time_has_passed(self) -> None:
        self.announced('1')
        self.settled(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))
        devices = self.double.calls.of(ours.OUR_UNPLUG)
        self.assertEqual(2, len(devices))
        self.assertEqual('Success', self.told()[NOTICE]['result'])

    def test_devices_with_a_standby_need_none(self) -> None:
        ports = self.ports.direct()
        self.server = self.paired(ports, pairing='failover', notice=LONG)
        self.migrate(self.server)
        self.assertNotIn(NOTICE, self.told())
