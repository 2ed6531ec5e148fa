# SPDX-License-Identifier: Apache-2.0

import unittest

import routed_pairing

from nova_pt_migrate.core import pairs
from nova_pt_migrate.testing import pairing_contract
from nova_pt_migrate.testing import views

PAIR = views.pair(views.SECOND)
NICS = pairs.GuestView({'ens5': PAIR.mac, 'ens6': PAIR.standby_mac}, bonds=())


class RoutedPairingTest(pairing_contract.PairingContract, unittest.TestCase):
    plugin = routed_pairing.RoutedPairing

    def sound(self) -> tuple[pairs.View, ...]:
        """It is well over two ports that are in no bond."""
        return (views.view(PAIR, guest=NICS),)

    def test_a_standby_that_is_off_and_in_a_bond(self) -> None:
        off = views.ports(standby={'up': False})
        enable, take_out = self.plugin().not_ready(views.view(PAIR, ports=off))
        self.assertIn(
            f'"openstack port set --enable {off.standby.id}"', enable
        )
        self.assertIn("in 'bond0': take it out", take_out)

    def test_a_guest_without_an_agent_is_doubted(self) -> None:
        view = views.view(PAIR, guest=None)
        self.assertEqual((), self.plugin().not_ready(view))
        self.assertEqual(1, len(self.plugin().doubts(view)))


if __name__ == '__main__':
    unittest.main()
