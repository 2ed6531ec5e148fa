# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.judge import verdict
from lab.observe import records


class ReadTest(unittest.TestCase):
    def test_rows_become_records(self):
        read = records.read(
            '== devices\ncmp2\t0000:01:10.1\tallocated\n== bindings\n'
            'port1\tcmp2\tACTIVE\tnormal\t\n'
            'port2\tcmp2\tACTIVE\tdirect\t0000:01:10.1\n'
            '== allocations\ncmp2\n'
        )
        device = verdict.Device('cmp2', '0000:01:10.1', 'allocated')
        self.assertEqual((device,), read.devices)
        self.assertEqual(
            ['', '0000:01:10.1'], [b.pci_slot for b in read.bindings]
        )
        self.assertEqual(('cmp2',), read.allocations)

    def test_a_server_that_holds_nothing(self):
        read = records.read('== devices\n== bindings\n== allocations\n')
        self.assertEqual(records.Records((), (), ()), read)
