# SPDX-License-Identifier: Apache-2.0
"""Calls of the double that fail, hang, or end their client."""

import threading

from nova_pt_migrate.testing import connection as connections
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import faults
from nova_pt_migrate.tests.functional.testing import double
from nova_pt_migrate.tests.functional.testing import hosts


class FaultsTest(double.DoubleTestCase):
    def test_fail_before_the_effect(self) -> None:
        domain = self.start('one')
        self.double.faults.fail('attachDeviceFlags', errors.internal('no'))
        self.assert_refused(
            'no', domain.attachDeviceFlags, hosts.vf(), double.LIVE
        )
        self.assertEqual([], self.devices(domain))
        domain.attachDeviceFlags(hosts.vf(), double.LIVE)
        self.assertEqual(
            ['internal error: no', None],
            [c.error for c in self.double.calls.of('attachDeviceFlags')],
        )

    def test_fail_after_the_effect(self) -> None:
        domain = self.start('one')
        self.double.faults.fail(
            'attachDeviceFlags',
            errors.internal('no'),
            after=True,
            host='here',
            device=hosts.address(),
        )
        self.assert_refused(
            'no', domain.attachDeviceFlags, hosts.vf(), double.LIVE
        )
        self.assertEqual([hosts.address()], self.devices(domain))

    def test_a_fault_of_another_device(self) -> None:
        domain = self.start('one')
        self.double.faults.fail(
            'attachDeviceFlags', errors.internal('no'), device='another'
        )
        domain.attachDeviceFlags(hosts.vf(), double.LIVE)
        self.assertEqual([hosts.address()], self.devices(domain))

    def test_hang(self) -> None:
        domain = self.start('one')
        hang = self.double.faults.hang('attachDeviceFlags')
        thread = threading.Thread(
            target=domain.attachDeviceFlags, args=(hosts.vf(), double.LIVE)
        )
        thread.start()
        self.assertTrue(hang.reached.wait(10))
        self.assertEqual([], self.devices(domain))
        hang.release()
        thread.join(10)
        self.assertEqual([hosts.address()], self.devices(domain))

    def test_crash(self) -> None:
        """The client is dead, the guest and the next client are not."""
        domain = self.start('one', hosts.vf())
        self.double.faults.crash('detachDeviceAlias', self.here.kill)
        self.assertRaises(
            faults.Crash, domain.detachDeviceAlias, 'hostdev0', double.LIVE
        )
        self.assertRaises(faults.Crash, domain.XMLDesc)
        again: connections.Connection = self.here.again()
        found = again.lookupByUUIDString(domain.UUIDString())
        self.assertEqual([hosts.address()], self.devices(found))
        found.detachDeviceAlias('hostdev0', double.LIVE)
        self.pass_seconds(1)
        self.assertEqual([], self.devices(found))
        self.assertEqual([], self.events)
