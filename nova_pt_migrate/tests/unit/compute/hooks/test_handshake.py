# SPDX-License-Identifier: Apache-2.0

from typing import Any

from nova.objects import migrate_data as migrate_data_obj
import testtools

from nova_pt_migrate.compute.hooks import handshake
from nova_pt_migrate.core import protocols
from nova_pt_migrate.tests.unit.compute import test_our_vifs

KINDS = {'direct': test_our_vifs.VF, 'normal': test_our_vifs.ORDINARY}


def data(*vnic_types: str) -> Any:
    """Return migration data as Nova's driver makes it in the pre-check."""
    vif_class = migrate_data_obj.VIFMigrateData
    vifs = vif_class.create_skeleton_migrate_vifs(
        [KINDS[each] for each in vnic_types]
    )
    for vif in vifs:
        vif.supports_os_vif_delegation = True
    return migrate_data_obj.LibvirtLiveMigrateData(vifs=vifs)


class TestIntroduction(testtools.TestCase):
    def test_is_read_as_it_was_said(self) -> None:
        said = data('normal', 'direct', 'direct')
        handshake.introduce(said, protocols.Protocols(2, 3))
        self.assertEqual(
            protocols.Protocols(2, 3), handshake.introduction(said)
        )

    def test_only_ports_with_a_device_of_ours_carry_it(self) -> None:
        said = data('normal', 'direct')
        handshake.introduce(said, protocols.SPOKEN)
        self.assertNotIn(handshake.KEY, said.vifs[0].profile)

    def test_nothing_is_left_when_it_is_forgotten(self) -> None:
        said = data('direct', 'normal')
        profiles = [vif.profile for vif in said.vifs]
        handshake.introduce(said, protocols.SPOKEN)
        handshake.forget(said)
        self.assertEqual(profiles, [vif.profile for vif in said.vifs])

    def test_data_without_ports(self) -> None:
        said = migrate_data_obj.LibvirtLiveMigrateData()
        handshake.introduce(said, protocols.SPOKEN)
        self.assertIsNone(handshake.introduction(said))
        self.assertEqual([], handshake.arriving(said))

    def test_what_cannot_be_read_is_a_peer_that_is_too_old(self) -> None:
        said = data('direct')
        for words in ('1', [1], {'oldest': 1}, [1, 'x']):
            said.vifs[0].profile = {handshake.KEY: words}
            (reason,) = handshake.reasons(said, protocols.SPOKEN, True)
            self.assertIn('too old', reason)


class TestReasons(testtools.TestCase):
    def reasons(
        self, there: protocols.Protocols, here: protocols.Protocols
    ) -> Any:
        said = data('direct')
        handshake.introduce(said, there)
        return handshake.reasons(said, here, False)

    def test_ranges_that_meet_fit(self) -> None:
        for there in ((1, 2), (2, 9), (4, 4)):
            self.assertEqual(
                [],
                self.reasons(
                    protocols.Protocols(*there), protocols.Protocols(2, 4)
                ),
            )

    def test_the_older_side_is_named(self) -> None:
        here = protocols.Protocols(2, 4)
        (reason,) = self.reasons(protocols.Protocols(1, 1), here)
        self.assertIn('on the destination host is too old', reason)
        (reason,) = self.reasons(protocols.Protocols(5, 6), here)
        self.assertIn('on the source host is too old', reason)

    def test_stock(self) -> None:
        said = data('direct')
        (reason,) = handshake.reasons(said, protocols.SPOKEN, False)
        self.assertIn('lacks nova-pt-migrate', reason)
        self.assertEqual([], handshake.reasons(said, protocols.SPOKEN, True))
