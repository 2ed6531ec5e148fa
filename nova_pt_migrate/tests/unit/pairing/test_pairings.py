# SPDX-License-Identifier: Apache-2.0

import testtools

from nova_pt_migrate.core import pairs
from nova_pt_migrate.pairing import bond
from nova_pt_migrate.pairing import failover
from nova_pt_migrate.pairing import none
from nova_pt_migrate.testing import pairing_contract
from nova_pt_migrate.testing import views

OWN = views.pair(views.OWN)
SOUND = views.bond(OWN)


class TestNone(pairing_contract.PairingContract, testtools.TestCase):
    plugin = none.NonePairing

    def test_it_wants_nothing(self) -> None:
        seen = views.view(OWN, pcie=False, virtio=False, standby_there=False)
        self.assertEqual((), none.NonePairing().unfit(seen))
        self.assertEqual((), none.NonePairing().not_ready(seen))


class TestFailover(pairing_contract.PairingContract, testtools.TestCase):
    plugin = failover.FailoverPairing

    def test_it_is_refused_by_name_where_it_cannot_work(self) -> None:
        function = views.pair(views.OWN, whole_function=True, on_own_pf=True)
        for words, seen in (
            ('PCIe', views.view(OWN, pcie=False)),
            ('virtio', views.view(OWN, virtio=False)),
            ('very PF', views.view(function)),
        ):
            (reason,) = failover.FailoverPairing().unfit(seen)
            self.assertIn('failover', reason)
            self.assertIn(words, reason)

    def test_a_guest_that_uses_the_device_in_place_of_the_link(self) -> None:
        names: dict[str, str | None] = dict.fromkeys(
            ('ens5', 'ens6', 'ens6nsby'), OWN.mac
        )
        pairing = failover.FailoverPairing()
        for taken, count in (((), 0), (('ens5',), 1), (('ens9',), 0)):
            told = pairs.GuestView(names, (), taken=frozenset(taken))
            found = pairing.not_ready(views.view(OWN, guest=told))
            self.assertEqual(count, len(found), str(taken))
            self.assertEqual(count > 0, "'ens5'" in ' '.join(found))


class TestBond(pairing_contract.PairingContract, testtools.TestCase):
    plugin = bond.BondPairing

    def reasons(self, *bonds: pairs.Bond) -> tuple[str, ...]:
        seen = views.view(OWN, guest=views.guest(*bonds))
        return bond.BondPairing().not_ready(seen)

    def test_one_that_cannot_be_seen_is_believed(self) -> None:
        for told in (None, pairs.GuestView({}, None)):
            seen = views.view(OWN, guest=told)
            self.assertEqual((), bond.BondPairing().not_ready(seen))

    def test_none_at_all(self) -> None:
        (reason,) = self.reasons()
        self.assertIn('no bond', reason)
        self.assertIn(pairs.twin(views.MAC), reason)

    def test_every_fault_at_once(self) -> None:
        down = pairs.Slave('ens6', OWN.standby_mac, False)
        found = self.reasons(
            views.bond(OWN, mode='balance-rr', slaves=(down,))
        )
        self.assertIn("is in mode 'balance-rr'", found[0])
        self.assertIn('is down in bond', found[1])
        self.assertEqual(2, len(found))

    def test_the_slaves_are_told_by_their_permanent_addresses(self) -> None:
        pairing = bond.BondPairing()
        crossed = views.bond(OWN, slaves=SOUND.slaves[::-1])
        for found in (SOUND, crossed):
            seen = views.view(OWN, guest=views.guest(found))
            self.assertEqual(('bond0', 'ens5'), pairing.link(seen, True))
            self.assertEqual(('bond0', 'ens6'), pairing.link(seen, False))

    def test_a_device_that_is_in_no_bond(self) -> None:
        lacking = views.bond(OWN, slaves=SOUND.slaves[1:])
        seen = views.view(OWN, guest=views.guest(lacking))
        self.assertIsNone(bond.BondPairing().link(seen, True))
        self.assertEqual(
            ('bond0', 'ens6'), bond.BondPairing().link(seen, False)
        )
