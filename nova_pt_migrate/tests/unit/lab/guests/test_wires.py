# SPDX-License-Identifier: Apache-2.0

import unittest

from lab.guests import wires


class WiresTest(unittest.TestCase):
    def test_primary_and_standby_hang_on_one_hub(self):
        words = wires.arguments(joined=False)
        for name in ('net-primary', 'net-standby', 'hub-shared'):
            found = [word for word in words if f'id={name},' in word]
            self.assertIn('hubid=0', found[0])
        self.assertIn(
            f'igb,id=primary,bus=port-primary,netdev=net-primary,'
            f'mac={wires.PRIMARY}',
            words,
        )

    def test_both_are_one_link_for_the_kernel(self):
        words = wires.arguments(joined=True)
        (primary,) = (word for word in words if word.startswith('e1000e,'))
        (standby,) = (word for word in words if 'failover=on' in word)
        self.assertIn('failover_pair_id=standby', primary)
        self.assertIn('id=standby', standby)
        self.assertNotIn('host_mtu', standby)
        for word in (primary, standby):
            self.assertIn(f'mac={wires.PRIMARY}', word)
