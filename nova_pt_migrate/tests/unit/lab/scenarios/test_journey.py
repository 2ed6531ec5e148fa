# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.scenarios import journey
from nova_pt_migrate.tests.unit.lab import synthetic


class EventsTest(unittest.TestCase):
    def test_only_events_of_this_migration_are_kept(self):
        def event(action: str, second: int) -> dict[str, str]:
            return {
                'action': action,
                'event': f'at {second}',
                'host': 'cmp1',
                'start_time': f'2027-01-15T08:00:{second:02}.000000',
                'finish_time': '',
                'result': '',
                'details': '',
            }

        seen = {
            'events': [
                event('live-migration', 20),
                event('create', 15),
                event('live-migration', 12),
                event('live-migration', 5),
            ]
        }
        kept = journey.events(seen, synthetic.ZERO + 10.5)
        self.assertEqual(['at 12', 'at 20'], [e.event for e in kept])
