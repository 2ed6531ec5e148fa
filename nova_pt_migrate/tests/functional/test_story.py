# SPDX-License-Identifier: Apache-2.0
"""What a user and a tool can read of a live migration."""

import json
import pathlib
from typing import Any
from unittest import mock

from nova import objects

from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import guests
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import shared
from nova_pt_migrate.tests.functional import waiting

SAMPLES = pathlib.Path(__file__).parents[3] / 'doc/source/user/samples'


class StoryTest(shared.Shared, ours.OurMigrations):
    UNPLUG_TIMEOUT = 1.0
    LEASE = 600.0

    def setUp(self) -> None:
        super().setUp()
        self.port_ids = self.ports.direct(2)
        self.server, self.whole = self.prepare(self.port_ids)
        self.notifier.reset()

    def events(self) -> dict[str, tuple[str, str, str]]:
        """Return result, host and details of each event of ours."""
        for compute in self.computes.values():
            self.assertTrue(compute.driver._pt.stories.wait(waiting.PATIENCE))
        (action,) = [
            action
            for action in self.api.get_instance_actions(self.server['id'])
            if action['action'] == 'live-migration'
        ]
        found = self.api.api_get(
            f'/servers/{self.server["id"]}/os-instance-actions/'
            f'{action["request_id"]}'
        ).body['instanceAction']['events']
        names = [e['event'] for e in found if e['event'].startswith('pt_')]
        self.assertEqual(sorted(set(names)), sorted(names))
        return {
            e['event']: (e['result'], e['host'], e['details'] or '')
            for e in found
            if e['event'] in names
        }

    def notice(self) -> str:
        """Return what is told of devices that have no standby."""
        ports = ', '.join(
            f'{port} ({self.ports.show(port)["mac_address"]})'
            for port in self.port_ids
        )
        return (
            f'The guest will be asked now for devices that have no standby, '
            f'and has 1 s then to release them: ports {ports}'
        )

    def assert_names_a_device(self, details: str) -> None:
        """One of those that it has where it is now."""
        addresses = self.whole.devices().values()
        self.assertTrue(any(a in details for a in addresses), details)

    def test_a_success(self) -> None:
        self.migrate(self.server)
        self.assertEqual(
            {
                'pt_migrate_look': ('Success', base.SOURCE, ''),
                'pt_migrate_notice': ('Success', base.SOURCE, self.notice()),
                'pt_migrate_unplug': ('Success', base.SOURCE, ''),
                'pt_migrate_move': ('Success', base.SOURCE, ''),
                'pt_migrate_plug': ('Success', base.DESTINATION, ''),
            },
            self.events(),
        )

    def test_a_guest_that_never_releases(self) -> None:
        self.double.settings.guest = guests.Never()
        self.migrate(self.server, 'failed')
        events = self.events()
        for name in ('pt_migrate_unplug', 'pt_migrate_unplug_timeout'):
            result, host, details = events[name]
            self.assertEqual(('Error', base.SOURCE), (result, host))
            self.assert_names_a_device(details)
            self.assertIn('within 1 s', details)
        server = self.api.get_server(self.server['id'])
        self.assertNotIn('fault', server)

    def test_libvirt_does_not_move_it(self) -> None:
        self.double.faults.fail(
            'migrateToURI3', errors.internal('no route to the destination')
        )
        self.migrate(self.server, 'failed')
        events = self.events()
        self.assertIn('no route', events['pt_migrate_move_failed'][2])
        self.assertEqual('Success', events['pt_migrate_plug'][0])

    def test_a_device_that_does_not_come(self) -> None:
        self.double.faults.fail(
            ours.PLUG,
            errors.internal('No more available PCI slots'),
            host=base.DESTINATION,
        )
        self.migrate(self.server)
        result, host, details = self.events()['pt_migrate_plug_failed']
        self.assertEqual(('Error', base.DESTINATION), (result, host))
        self.assert_names_a_device(details)
        self.assertIn('PCI slots', details)

    def test_a_refusal_is_one_event_for_all_hosts(self) -> None:
        self.start_compute(
            hostname=base.THIRD, pci_info=self.pci_info(base.THIRD)
        )
        self.api.post_server_action(self.server['id'], {'pause': None})
        self._wait_for_state_change(self.server, 'PAUSED')
        self.migrate(self.server, 'error')
        self.assertEqual(
            {'pt_migrate_look', 'pt_migrate_not_ready'}, set(self.events())
        )
        self.assertIn('Unpause', self.events()['pt_migrate_not_ready'][2])

    def test_what_cannot_be_told_breaks_nothing(self) -> None:
        with mock.patch.object(
            objects.InstanceActionEventList,
            'get_by_action',
            autospec=True,
            side_effect=RuntimeError('the database is away'),
        ):
            self.migrate(self.server)
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_notifications(self) -> None:
        self.double.settings.guest = guests.Never()
        self.migrate(self.server, 'failed')
        self.events()
        sent = {
            n['event_type']: n['payload']
            for n in self.notifier.versioned_notifications
            if n['event_type'].startswith('pt_migrate.')
        }
        self.assertEqual(
            {
                'pt_migrate.look.start',
                'pt_migrate.look.end',
                'pt_migrate.notice.start',
                'pt_migrate.notice.end',
                'pt_migrate.unplug.start',
                'pt_migrate.unplug.error',
            },
            set(sent),
        )
        for name in (
            'pt_migrate.notice.start',
            'pt_migrate.unplug.start',
            'pt_migrate.unplug.error',
        ):
            sample = json.loads((SAMPLES / f'{name}.json').read_text())
            self.assertEqual(_shape(sample['payload']), _shape(sent[name]))
            self.assertEqual(name, sample['event_type'])
        notice = sent['pt_migrate.notice.start']['nova_object.data']
        self.assertEqual(self.notice(), notice['text'])
        failures = sent['pt_migrate.unplug.error']['nova_object.data'][
            'failures'
        ]
        self.assertEqual(
            ['pt_migrate_unplug_timeout'] * 2, [f['reason'] for f in failures]
        )


def _shape(value: Any) -> Any:
    """Return names and types of a payload."""
    if isinstance(value, dict):
        return {key: _shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return type(value).__name__
