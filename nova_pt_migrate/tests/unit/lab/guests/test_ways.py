# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import tempfile
import unittest
from unittest import mock

from lab import settings
from lab.build import initramfs
from lab.guests import image
from lab.guests import managers
from lab.guests import matrix
from lab.guests import seed
from lab.guests import trial
from lab.guests import ways
from lab.guests import wires


class SeedTest(unittest.TestCase):
    def test_the_standby_is_no_link_that_nova_tells_of(self):
        told = seed.network_data()
        macs = [link['ethernet_mac_address'] for link in told['links']]
        self.assertEqual([wires.PRIMARY, wires.OTHER], macs)
        self.assertEqual(
            [link['id'] for link in told['links']],
            [network['link'] for network in told['networks']],
        )

    def test_files_in_each_version(self):
        files = seed.files('{"a": 1}', '', 'guest')
        path = 'openstack/latest/{}'
        self.assertEqual('{"a": 1}', files[path.format('vendor_data.json')])
        self.assertNotIn(path.format('user_data'), files)
        meta = json.loads(files[path.format('meta_data.json')])
        self.assertEqual('guest', meta['hostname'])
        files = seed.files('', '#!/bin/sh', 'guest')
        self.assertEqual('#!/bin/sh', files[path.format('user_data')])
        self.assertEqual('{}', files[path.format('vendor_data.json')])


class WaysTest(unittest.TestCase):
    def test_only_prepare_has_vendor_data_and_observe_user_data(self):
        for manager in managers.MANAGERS:
            found = {way: ways.seeds(way, manager) for way in ways.WAYS}
            self.assertEqual(('', ''), found['manage'])
            self.assertIn('cloud-init', json.loads(found['prepare'][0]))
            words = found['observe'][1]
            self.assertIn(wires.PRIMARY, words)
            self.assertNotIn('@MAC@', words)
            self.assertNotIn('@TWIN@', words)

    def test_a_manager_that_there_is_not(self):
        with self.assertRaisesRegex(LookupError, 'wicked; there are'):
            managers.named('wicked')


class WiresTest(unittest.TestCase):
    def test_primary_and_standby_hang_on_one_hub(self):
        words = wires.arguments()
        for name in ('net-primary', 'net-standby', 'hub-shared'):
            found = [word for word in words if f'id={name},' in word]
            self.assertIn('hubid=0', found[0])
        self.assertIn(
            f'igb,id=primary,bus=port-primary,netdev=net-primary,'
            f'mac={wires.PRIMARY}',
            words,
        )


class ImageTest(unittest.TestCase):
    def test_its_name_is_of_what_it_is_made_from(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        setup = settings.Settings(folder)
        with mock.patch.object(
            initramfs, 'kernel', autospec=True, return_value='6.12'
        ):
            disks = {image.disk(setup, each) for each in managers.MANAGERS}
            again = {image.disk(setup, each) for each in managers.MANAGERS}
        self.assertEqual(disks, again)
        self.assertEqual(len(managers.MANAGERS), len(disks))
        with mock.patch.object(
            initramfs, 'kernel', autospec=True, return_value='6.13'
        ):
            disk = image.disk(setup, managers.MANAGERS[0])
        self.assertNotIn(disk, disks)


class MatrixTest(unittest.TestCase):
    STEPS = (
        trial.Step('first boot', 1.0),
        trial.Step('plug', 2.0, note='by us'),
    )

    def test_the_table_and_the_sentences(self):
        wrong = (*self.STEPS, trial.Step('undo', 3.0, 'bond0 is still there'))
        cells = [
            matrix.Cell('a', 'prepare', 1.0, '', self.STEPS),
            matrix.Cell(
                'b', 'manage', 1.0, matrix.failure(wrong, 'later'), wrong
            ),
        ]
        text = matrix.text(cells, ('prepare', 'manage'))
        rows = [line.split() for line in text.splitlines()]
        self.assertIn(['a', 'passed', 'not', 'run'], rows)
        self.assertIn(['b', 'not', 'run', 'failed'], rows)
        self.assertIn('b, manage: undo: bond0 is still there\n', text)
        self.assertIn('a, prepare, plug: by us\n', text)
        self.assertEqual(2, len(json.loads(matrix.document(cells))))

    def test_what_failed_outside_of_a_step(self):
        self.assertEqual('no QEMU', matrix.failure((), 'no QEMU'))
        self.assertEqual('no QEMU', matrix.failure(self.STEPS, 'no QEMU'))
