# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.guests import wires


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
