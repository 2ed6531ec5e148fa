# SPDX-License-Identifier: Apache-2.0

from typing import Any

import testtools

from nova_pt_migrate.core import pairs
from nova_pt_migrate.pairing import bond
from nova_pt_migrate.pairing import failover
from nova_pt_migrate.pairing import none

MAC = 'fa:16:3e:00:00:01'
TWIN = pairs.twin(MAC)
SOUND = pairs.Bond(
    'bond0',
    'active-backup',
    'ens5',
    (pairs.Slave('ens5', MAC, True), pairs.Slave('ens6', TWIN, True)),
)


def view(
    bonds: tuple[pairs.Bond, ...] | None = None,
    there: bool = True,
    **more: Any,
) -> pairs.View:
    pair = pairs.Pair(
        port='the-port',
        device='0000:81:10.1',
        mac=MAC,
        whole_function=more.pop('whole_function', False),
        kind=pairs.StandbyKind.OWN,
        standby_mac=TWIN,
        on_own_pf=True,
    )
    return pairs.View(
        pair,
        pcie=more.pop('pcie', True),
        virtio=more.pop('virtio', True),
        standby_there=there,
        guest=pairs.GuestView({}, bonds),
    )


class TestNone(testtools.TestCase):
    def test_it_wants_nothing(self) -> None:
        pairing = none.NonePairing()
        self.assertEqual((), pairing.unfit(view(pcie=False)))
        self.assertEqual((), pairing.not_ready(view(there=False)))
        self.assertIsNone(pairing.link(view(), True))


class TestFailover(testtools.TestCase):
    def test_it_is_refused_by_name_where_it_cannot_work(self) -> None:
        for words, seen in (
            ('PCIe', view(pcie=False)),
            ('virtio', view(virtio=False)),
            ('very PF', view(whole_function=True)),
        ):
            (reason,) = failover.FailoverPairing().unfit(seen)
            self.assertIn('failover', reason)
            self.assertIn(words, reason)

    def test_the_standby_must_be_there(self) -> None:
        pairing = failover.FailoverPairing()
        self.assertEqual((), pairing.not_ready(view()))
        (reason,) = pairing.not_ready(view(there=False))
        self.assertIn('the-port', reason)


class TestBond(testtools.TestCase):
    def reasons(self, *bonds: pairs.Bond) -> tuple[str, ...]:
        return bond.BondPairing().not_ready(view(bonds))

    def test_a_sound_one(self) -> None:
        self.assertEqual((), self.reasons(SOUND))

    def test_one_that_cannot_be_seen_is_believed(self) -> None:
        self.assertEqual((), bond.BondPairing().not_ready(view(None)))

    def test_none_at_all(self) -> None:
        (reason,) = self.reasons()
        self.assertIn('no bond', reason)
        self.assertIn(TWIN, reason)

    def test_every_fault_at_once_in_words_that_are_harmless(self) -> None:
        found = self.reasons(
            pairs.Bond(
                'bond0',
                '\x1b[31m',
                None,
                (pairs.Slave('ens6', TWIN, False),),
            )
        )
        self.assertEqual(2, len(found))
        self.assertTrue(all(reason.isprintable() for reason in found))

    def test_the_slaves_are_told_by_their_permanent_addresses(self) -> None:
        pairing = bond.BondPairing()
        seen = view((SOUND,))
        self.assertEqual(('bond0', 'ens5'), pairing.link(seen, True))
        self.assertEqual(('bond0', 'ens6'), pairing.link(seen, False))

    def test_a_device_that_is_in_no_bond(self) -> None:
        lacking = pairs.Bond('b', 'active-backup', None, SOUND.slaves[1:])
        pairing = bond.BondPairing()
        self.assertIsNone(pairing.link(view((lacking,)), True))
        self.assertIsNone(pairing.link(view(None), False))
