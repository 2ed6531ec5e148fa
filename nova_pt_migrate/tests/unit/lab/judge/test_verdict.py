# SPDX-License-Identifier: Apache-2.0

import dataclasses
import unittest

from lab.judge import verdict
from nova_pt_migrate.tests.unit.lab import synthetic

VF = '0000:01:10.1'


def _failed(facts: verdict.Facts) -> list[str]:
    checks = verdict.judge(facts, 'cmp1', 'cmp2')
    return [check.what for check in checks if not check.passed]


class JudgeTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.facts = synthetic.facts('cmp2', VF)

    def _failed_with(self, **changes) -> list[str]:
        return _failed(dataclasses.replace(self.facts, **changes))

    def _failed_on(self, host: str, **changes) -> list[str]:
        changed = dataclasses.replace(self.facts.hosts[host], **changes)
        return self._failed_with(hosts=self.facts.hosts | {host: changed})

    def test_a_whole_server_passes(self):
        self.assertEqual([], _failed(self.facts))

    def test_a_server_that_stayed_fails(self):
        stayed = synthetic.facts('cmp1', VF)
        self.assertIn('the server is ACTIVE on cmp2', _failed(stayed))
        self.assertIn('no domain is left on cmp1', _failed(stayed))

    def test_one_wrong_fact_fails_one_check(self):
        for changes, check in (
            ({'status': 'ERROR'}, 'the server is ACTIVE on cmp2'),
            ({'task_state': 'migrating'}, 'no task is left'),
            ({'migration_status': 'error'}, 'the migration is completed'),
            ({'answering': False}, 'the guest answers'),
            (
                {'allocations': ('cmp1', 'cmp2')},
                'Placement counts the server there and nowhere else',
            ),
        ):
            with self.subTest(check):
                self.assertEqual([check], self._failed_with(**changes))

    def test_a_device_missing_from_the_live_xml_fails(self):
        self.assertIn(
            'its VFs are in the live XML', self._failed_on('cmp2', live=())
        )

    def test_a_persistent_xml_that_differs_fails(self):
        self.assertEqual(
            ['the persistent XML agrees'],
            self._failed_on('cmp2', persistent=()),
        )

    def test_a_domain_left_behind_fails(self):
        self.assertEqual(
            ['no domain is left on cmp1'],
            self._failed_on('cmp1', domain=True),
        )

    def test_a_filter_left_behind_fails(self):
        check = ['no VF of cmp1 keeps a MAC of the server']
        kept = {VF: synthetic.MAC}
        self.assertEqual(check, self._failed_on('cmp1', filters=kept))

    def test_filters_that_were_not_seen_fail(self):
        check = ['no VF of cmp1 keeps a MAC of the server']
        self.assertEqual(check, self._failed_on('cmp1', filters={}))

    def test_a_device_claimed_on_the_source_fails(self):
        left = verdict.Device('cmp1', VF, 'claimed')
        self.assertEqual(
            ['no VF is claimed on cmp1'],
            self._failed_with(devices=(*self.facts.devices, left)),
        )

    def test_a_device_of_another_address_fails(self):
        other = verdict.Device('cmp2', '0000:01:10.7', 'allocated')
        self.assertEqual(
            ["Nova's database has the same VFs"],
            self._failed_with(devices=(other,)),
        )

    def test_a_second_binding_fails(self):
        left = verdict.Binding('port2', 'cmp1', 'INACTIVE', 'direct')
        self.assertEqual(
            ['the ports are bound there and nowhere else'],
            self._failed_with(bindings=(*self.facts.bindings, left)),
        )

    def test_a_guest_on_its_standby_fails(self):
        standby, primary = synthetic.LINKS
        links = (
            dataclasses.replace(standby, active=True),
            dataclasses.replace(primary, active=False),
        )
        self.assertEqual(
            ['a VF is the active link of the guest'],
            self._failed_on('cmp2', links=links),
        )

    def test_a_guest_without_its_device_fails(self):
        failed = self._failed_on('cmp2', links=synthetic.LINKS[:1])
        self.assertIn('the guest has them', failed)


class PlaceTest(unittest.TestCase):
    def test_a_place_names_host_devices_and_links(self):
        place = verdict.place(synthetic.facts('cmp2', VF))
        self.assertEqual('cmp2', place.host)
        self.assertEqual((f'cmp2 {VF}',), place.live)
        self.assertEqual((f'cmp2 {VF}',), place.database)
        self.assertIn(f'eth1 igbvf {synthetic.MAC} active', place.guest)
