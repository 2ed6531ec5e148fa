# SPDX-License-Identifier: Apache-2.0

from unittest import mock

from nova import objects
from oslo_utils.fixture import uuidsentinel as uuids
import testtools

from nova_pt_migrate.compute.hooks import source_check


class TestAccount(testtools.TestCase):
    def test_a_server_without_devices_waits_for_no_tracker(self) -> None:
        """Nova holds its lock for as long as placement takes."""
        objects.register_all()
        hooks = object.__new__(source_check.SourceCheckHooks)
        hooks.virtapi = mock.Mock()
        hooks.virtapi._compute.rt = mock.Mock(spec=['host'])
        server = objects.Instance(
            uuid=uuids.server,
            pci_requests=objects.InstancePCIRequests(requests=[]),
        )
        hooks._pt_account(None, server)
        self.assertEqual([], hooks.virtapi._compute.rt.mock_calls)
