# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import uplinks


class TestRead(testtools.TestCase):
    def test_each_kind(self) -> None:
        self.assertEqual(
            {
                'a': uplinks.Uplink(uplinks.Kind.BRIDGE, 'br-ext'),
                'b': uplinks.Uplink(uplinks.Kind.OVS, 'br-ex'),
                'c': uplinks.Uplink(uplinks.Kind.MACVTAP, 'eth2'),
            },
            uplinks.read(
                {'a': 'bridge/br-ext', 'b': 'ovs/br-ex', 'c': 'macvtap/eth2'}
            ),
        )

    def test_what_is_none_is_named_with_what_is_allowed(self) -> None:
        for word in ('br-ext', 'tap/br', 'bridge/', 'bridge/a b', ''):
            text = str(
                self.assertRaises(
                    errors.CannotStart, uplinks.read, {'physnet1': word}
                )
            )
            self.assertIn(f'physnet1:{word}', text)
            self.assertIn('bridge, ovs, macvtap', text)
