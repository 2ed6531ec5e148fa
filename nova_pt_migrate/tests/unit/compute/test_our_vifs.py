# SPDX-License-Identifier: Apache-2.0

import types
from typing import Any

from nova import objects
from nova.network import model as network_model
from nova.objects import migrate_data as migrate_data_obj
import testtools

from nova_pt_migrate.compute import our_vifs


def vif(
    name: str, vnic_type: str, vif_type: str, **profile: object
) -> network_model.VIF:
    return network_model.VIF(
        id=name,
        vnic_type=vnic_type,
        type=vif_type,
        profile={'pci_slot': '0000:81:10.2', **profile},
    )


VF = vif('vf', 'direct', 'hw_veb')
PF = vif('pf', 'direct-physical', 'hostdev_physical')
ORDINARY = vif('ordinary', 'normal', 'ovs')
MACVTAP = vif('macvtap', 'macvtap', 'hw_veb')
VDPA = vif('vdpa', 'vdpa', 'ovs')
OFFLOADED = vif('offloaded', 'direct', 'ovs', capabilities=['switchdev'])


class TestOwnership(testtools.TestCase):
    def test_vfs_and_pfs_are_ours(self) -> None:
        self.assertEqual(
            [VF, PF], our_vifs.owned([ORDINARY, VF, PF, MACVTAP, VDPA])
        )

    def test_every_vnic_type_that_nova_detaches_has_one_owner(self) -> None:
        for vnic_type in network_model.VNIC_TYPES_DIRECT_PASSTHROUGH:
            one = [vif('x', vnic_type, 'hw_veb')]
            self.assertEqual(
                1, len(our_vifs.owned(one)) + len(our_vifs.left_to_nova(one))
            )

    def test_hardware_offload_is_left_to_nova(self) -> None:
        both = [OFFLOADED, VF]
        self.assertEqual([VF], our_vifs.owned(both))
        self.assertEqual([OFFLOADED], our_vifs.left_to_nova(both))
        self.assertEqual([], our_vifs.refusals(both))
        other = vif('x', 'vdpa', 'ovs', capabilities=['switchdev'])
        self.assertEqual([OFFLOADED], our_vifs.offloaded([*both, other]))

    def test_what_migrates_by_itself_is_nobodys(self) -> None:
        both = [ORDINARY, MACVTAP]
        self.assertEqual(
            [], our_vifs.owned(both) + our_vifs.left_to_nova(both)
        )


class Pending(network_model.NetworkInfoAsyncWrapper):
    """What Neutron still allocates; who looks into it would wait."""

    def __init__(self) -> None:
        network_model.NetworkInfo.__init__(self)

    def wait(self, do_raise: bool = True) -> None:
        raise AssertionError('it was waited for')


class TestWhatIsPending(testtools.TestCase):
    def assert_may_be(
        self, expected: bool, network_info: Any, *requests: Any
    ) -> None:
        instance = types.SimpleNamespace(
            pci_requests=objects.InstancePCIRequests(requests=list(requests))
        )
        self.assertIs(expected, our_vifs.may_be_owned(instance, network_info))

    def test_a_request_for_a_port_tells(self) -> None:
        of_port = objects.InstancePCIRequest(alias_name=None, spec=[])
        of_flavor = objects.InstancePCIRequest(alias_name='gpu', spec=[])
        self.assert_may_be(True, Pending(), of_flavor, of_port)
        self.assert_may_be(False, Pending(), of_flavor)
        self.assert_may_be(False, Pending())

    def test_what_is_there_tells_itself(self) -> None:
        self.assert_may_be(True, network_model.NetworkInfo([VF]))
        self.assert_may_be(False, network_model.NetworkInfo())
        self.assert_may_be(False, None)


class TestRefusals(testtools.TestCase):
    def test_ports_that_fit_are_not_refused(self) -> None:
        self.assertEqual([], our_vifs.refusals([VF, PF, ORDINARY, VDPA]))

    def test_a_binding_of_another_kind_is_refused_by_name(self) -> None:
        (text,) = our_vifs.refusals([vif('the-port', 'direct', 'ib_hostdev')])
        self.assertIn('ib_hostdev', text)
        self.assertIn('hw_veb', text)


class TestDevices(testtools.TestCase):
    def test_a_device_is_known_by_the_address_that_neutron_bound(self) -> None:
        (device,) = our_vifs.devices([VF, ORDINARY], lambda v: f'<{v["id"]}/>')
        self.assertEqual('0000:81:10.2', device.address)
        self.assertEqual('vf', device.port)
        self.assertEqual('<vf/>', device.xml)


class TestMigrateData(testtools.TestCase):
    def test_without_vifs_there_are_none(self) -> None:
        data = migrate_data_obj.LibvirtLiveMigrateData()
        self.assertEqual([], our_vifs.source_vifs(data))

    def test_a_vif_that_knows_no_source_is_passed_over(self) -> None:
        data = migrate_data_obj.LibvirtLiveMigrateData(
            vifs=[
                migrate_data_obj.VIFMigrateData(source_vif=VF),
                migrate_data_obj.VIFMigrateData(port_id='x'),
            ]
        )
        self.assertEqual([VF], our_vifs.source_vifs(data))
