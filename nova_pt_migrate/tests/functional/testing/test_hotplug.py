# SPDX-License-Identifier: Apache-2.0
"""Hot-plug on the double, beyond the contract."""

from nova_pt_migrate.tests.functional.testing import double
from nova_pt_migrate.tests.functional.testing import hosts


class HotplugTest(double.DoubleTestCase):
    def test_a_device_of_another_domain(self) -> None:
        self.start('one', hosts.vf())
        two = self.start('two')
        self.assert_refused(
            'PCI device 0000:81:00.1 is in use by driver QEMU, domain one',
            two.attachDeviceFlags,
            hosts.vf(),
            double.LIVE | double.CONFIG,
        )
        self.assertEqual([], self.devices(two, double.INACTIVE))

    def test_starting_with_a_device_in_use(self) -> None:
        self.start('one', hosts.vf())
        two = self.here.defineXML(hosts.domain('two', hosts.vf()))
        self.assert_refused('in use by', two.createWithFlags, 0)
        self.assertFalse(two.isActive())

    def test_no_free_port(self) -> None:
        self.double.settings.ports = 2
        domain = self.start('one', hosts.vf(1))
        self.assert_refused(
            'internal error: No more available PCI slots',
            domain.attachDeviceFlags,
            hosts.vf(2),
            double.LIVE,
        )

    def test_a_name_of_the_user_that_is_taken(self) -> None:
        alias = "<alias name='ua-vf'/>"
        domain = self.start('one', hosts.vf(1, alias))
        self.assert_refused(
            'non unique alias detected: ua-vf',
            domain.attachDeviceFlags,
            hosts.vf(2, alias),
            double.LIVE,
        )
        self.assertEqual([hosts.address(1)], self.devices(domain))

    def test_a_device_that_the_host_lacks(self) -> None:
        domain = self.start('one')
        self.assert_refused(
            'SR-IOV Virtual Functions only',
            domain.attachDeviceFlags,
            hosts.vf(0),
            double.LIVE,
        )

    def test_a_stopped_domain(self) -> None:
        domain = self.here.defineXML(hosts.domain('one'))
        self.assert_refused(
            'domain is not running',
            domain.attachDeviceFlags,
            hosts.vf(),
            double.LIVE,
        )
        domain.attachDeviceFlags(hosts.vf(), double.CONFIG)
        self.assertEqual([hosts.address()], self.devices(domain))

    def test_config_only(self) -> None:
        domain = self.start('one', hosts.vf())
        domain.detachDeviceFlags(hosts.vf(), double.CONFIG)
        self.assertEqual([hosts.address()], self.devices(domain))
        self.assertEqual([], self.devices(domain, double.INACTIVE))

    def test_a_guest_address_that_is_taken(self) -> None:
        domain = self.start('one', hosts.vf(1))
        taken = (
            "<address type='pci' domain='0x0000' bus='0x02' slot='0x00' "
            "function='0x0'/>"
        )
        self.assert_refused(
            'Attempted double use of PCI Address 0000:02:00.0',
            domain.attachDeviceFlags,
            hosts.vf(2, taken),
            double.LIVE,
        )
