# SPDX-License-Identifier: Apache-2.0
"""A device that was set aside earlier is known by the request it answers."""

from typing import Any
from unittest import mock

import fixtures
from nova import exception
from nova.network import model as network_model
from nova.objects import instance as nova_instance
from nova.objects import instance_pci_requests
from nova.objects import pci_device
from nova.pci import request as pci_request
from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import recalled

HERE, THERE = '0000:81:00.1', '0000:81:00.7'


class RecalledTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.requests = {
            name: instance_pci_requests.InstancePCIRequest(
                request_id=getattr(uuids, name), alias_name=alias
            )
            for name, alias in (('port', None), ('flavor', 'accelerator'))
        }
        self.instance: Any = mock.Mock(spec=nova_instance.Instance)
        self.instance.pci_requests.requests = list(self.requests.values())
        self.instance.get_network_info.return_value = [
            network_model.VIF(id=uuids.ordinary, profile={}),
            network_model.VIF(id=uuids.port, profile={'pci_slot': THERE}),
        ]
        self.find = self.useFixture(
            fixtures.MockPatchObject(
                nova_instance.Instance,
                'get_by_uuid',
                autospec=True,
                side_effect=lambda *args, **kwargs: self.instance,
            )
        ).mock
        self.useFixture(
            fixtures.MockPatchObject(
                pci_request,
                'get_instance_pci_request_from_vif',
                autospec=True,
                side_effect=self.request_of,
            )
        )

    def request_of(self, _context: Any, _instance: Any, vif: Any) -> Any:
        return self.requests['port'] if our_vifs.address(vif) else None

    def device(self, request: str, kind: str = 'type-VF') -> Any:
        return pci_device.PciDevice(
            address=HERE,
            dev_type=kind,
            instance_uuid=uuids.server,
            request_id=getattr(uuids, request),
        )

    def assert_taken_for_trusted(self, vif: Any) -> None:
        self.assertEqual('direct', vif['vnic_type'])
        self.assertEqual('true', vif['profile']['trusted'])
        self.assertEqual(HERE, our_vifs.address(vif))

    def test_of_a_port(self) -> None:
        found: Any = recalled.vif_of(self.device('port'))
        self.assertEqual(
            (uuids.port, HERE), (found['id'], our_vifs.address(found))
        )
        _, original = self.instance.get_network_info()
        self.assertEqual(THERE, our_vifs.address(original))

    def test_of_the_flavor(self) -> None:
        self.assertIsNone(recalled.vif_of(self.device('flavor')))

    def test_of_a_port_that_has_left(self) -> None:
        self.assert_taken_for_trusted(recalled.vif_of(self.device('gone')))

    def test_of_a_server_that_is_gone(self) -> None:
        self.find.side_effect = exception.InstanceNotFound(instance_id='one')
        self.assert_taken_for_trusted(recalled.vif_of(self.device('port')))
        whole = self.device('port', 'type-PF')
        self.assertIsNone(recalled.vif_of(whole))
