# SPDX-License-Identifier: Apache-2.0
"""What the driver relies on in libvirt; run on the double and on a real one.

Mix :class:`LibvirtContract` into a ``unittest.TestCase`` that provides
``adapter``, a :class:`contract_steps.Adapter`. Nothing is imported but the
standard library and lxml, so the suite runs where nothing else is installed
than libvirt-python and lxml::

    class MyLibvirtTest(contract.LibvirtContract, unittest.TestCase):
        def setUp(self):
            self.adapter = MyAdapter()
            self.addCleanup(self.adapter.close)
"""

from lxml import etree

from nova_pt_migrate.testing import contract_steps as steps

LIBVIRT_BLOCKS = 5.0
"""Seconds for which detachDeviceFlags waits for a guest that does not act."""


class LibvirtContract(steps.Steps):
    """Tests of hot-plug and migration of one VF."""

    def test_alias_detach_returns_at_once_and_the_event_comes(self) -> None:
        domain, alias = self.domain_and_alias()
        with self.device_events(domain) as events:
            with self.paused(domain):
                began = self.adapter.now()
                self.detach_alias(domain, alias)
                took = self.adapter.now() - began
                self.assertIsNotNone(self.vf(domain))
                self.assertEqual([], events)
            self.assertTrue(self.wait(lambda: ('removed', alias) in events))
        self.assertIsNone(self.vf(domain))
        self.assertLess(took, LIBVIRT_BLOCKS)

    def test_alias_detach_keeps_the_persistent_xml(self) -> None:
        domain, alias = self.domain_and_alias()
        before = self.inactive(domain)
        self.unplug(domain, alias)
        self.assertEqual(
            steps.addresses(before), steps.addresses(self.inactive(domain))
        )

    def test_attach_restores_the_guest_address(self) -> None:
        domain, alias = self.domain_and_alias()
        guest_address = steps.guest_address(self.vf(domain))
        self.unplug(domain, alias)
        self.attach(domain, self.inactive_vf(domain))
        self.assertEqual(guest_address, steps.guest_address(self.vf(domain)))
        self.assertEqual(
            1, len(etree.fromstring(self.inactive(domain)).findall(steps.VF))
        )

    def test_a_vf_that_leaves_keeps_its_trust_and_not_its_mac(self) -> None:
        """What libvirt did not set it does not put back."""
        domain, alias = self.domain_and_alias()
        xml = self.vf(domain)
        address = steps.pci_address(steps.host_address(xml))
        mac = xml.find('./mac').get('address')
        self.assertEqual(mac, self.adapter.show_vf(address)['mac'])
        self.adapter.trust_vf(address, True)
        try:
            self.unplug(domain, alias)
            left = self.adapter.show_vf(address)
            self.assertTrue(left['trusted'])
            self.assertNotEqual(mac, left['mac'])
            self.attach(domain, self.inactive_vf(domain))
            self.assertEqual(
                {'mac': mac, 'trusted': True}, self.adapter.show_vf(address)
            )
        finally:
            self.adapter.trust_vf(address, False)

    def test_attaching_twice_is_refused(self) -> None:
        domain, _ = self.domain_and_alias()
        with self.assertRaisesRegex(
            self.adapter.libvirt.libvirtError, 'in use by driver QEMU'
        ):
            self.attach(domain, self.inactive_vf(domain))
        self.assertIsNotNone(self.vf(domain))

    def test_detaching_what_is_gone_is_refused(self) -> None:
        """By alias the error has no code of its own; by element it has."""
        libvirt = self.adapter.libvirt
        domain, alias = self.domain_and_alias()
        xml = steps.text(self.vf(domain))
        self.unplug(domain, alias)
        for call, message, code in (
            (
                lambda: self.detach_alias(domain, alias),
                'no device found with alias',
                libvirt.VIR_ERR_INTERNAL_ERROR,
            ),
            (
                lambda: domain.detachDeviceFlags(xml, self.live),
                'device not found',
                libvirt.VIR_ERR_DEVICE_MISSING,
            ),
        ):
            with self.assertRaisesRegex(
                libvirt.libvirtError, message
            ) as caught:
                call()
            self.assertEqual(code, caught.exception.get_error_code())

    def test_a_second_request_does_no_harm(self) -> None:
        """QEMU takes it or says that one is pending; one event comes."""
        domain, alias = self.domain_and_alias()
        with self.device_events(domain) as events:
            with self.paused(domain):
                self.detach_alias(domain, alias)
                try:
                    self.detach_alias(domain, alias)
                except self.adapter.libvirt.libvirtError as exc:
                    self.assertIn('in the process of unplug', str(exc))
                self.assertIsNotNone(self.vf(domain))
            self.assertTrue(self.wait(lambda: self.vf(domain) is None))
            self.wait(lambda: len(events) > 1, 1.0)
        self.assertEqual([('removed', alias)], events)

    def test_blocking_detach_claims_success_though_not_released(self) -> None:
        domain, _ = self.domain_and_alias()
        with self.paused(domain):
            self.assertEqual(
                0,
                domain.detachDeviceFlags(
                    steps.text(self.vf(domain)), self.live
                ),
            )
            self.assertIsNotNone(self.vf(domain))
        self.assertTrue(self.wait(lambda: self.vf(domain) is None))

    def test_a_free_device_is_bound_to_vfio_and_back(self) -> None:
        _, there, free = self.adapter.destination()
        node = steps.node_device(there, free)
        before = steps.driver(node)
        node.detachFlags(None, 0)
        self.assertIn('vfio', str(steps.driver(node)))
        node.detachFlags(None, 0)
        node.reAttach()
        self.assertEqual(before, steps.driver(node))
        self.assertTrue(steps.has_group(node))

    def test_a_device_in_a_guest_is_not_taken_from_it(self) -> None:
        domain, _ = self.domain_and_alias()
        node = steps.node_device(
            domain.connect(), steps.host_address(self.vf(domain))
        )
        for call in (lambda: node.detachFlags(None, 0), node.reAttach):
            with self.assertRaisesRegex(
                self.adapter.libvirt.libvirtError, 'in use by driver QEMU'
            ):
                call()
        self.assertIsNotNone(self.vf(domain))

    def test_a_device_that_stayed_with_vfio_is_attached(self) -> None:
        """As after a client that died between detaching and re-attaching."""
        domain, alias = self.domain_and_alias()
        vf = self.inactive_vf(domain)
        node = steps.node_device(domain.connect(), steps.host_address(vf))
        self.unplug(domain, alias)
        node.detachFlags(None, 0)
        self.attach(domain, vf)
        self.assertIsNotNone(self.vf(domain))
        again = str(self.vf(domain).find('./alias').get('name'))
        self.unplug(domain, again)
        node.reAttach()
        self.assertNotIn('vfio', str(steps.driver(node)))

    def test_a_device_that_the_host_lacks_is_not_found(self) -> None:
        _, there, free = self.adapter.destination()
        with self.assertRaises(self.adapter.libvirt.libvirtError) as caught:
            steps.node_device(there, {**free, 'function': '0xf'})
        self.assertEqual(
            self.adapter.libvirt.VIR_ERR_NO_NODE_DEVICE,
            caught.exception.get_error_code(),
        )

    def test_the_frames_of_a_nic_are_counted(self) -> None:
        domain, _ = self.domain_and_alias()
        counted = domain.interfaceStats(self.netdev(domain))
        self.assertEqual(8, len(counted))
        self.assertGreaterEqual(min(counted), 0)

    def test_a_nic_that_the_guest_has_not_has_no_counters(self) -> None:
        libvirt = self.adapter.libvirt
        domain, _ = self.domain_and_alias()
        with self.assertRaisesRegex(
            libvirt.libvirtError, 'not a known interface'
        ) as caught:
            domain.interfaceStats('pt-nobody')
        self.assertEqual(
            libvirt.VIR_ERR_INVALID_ARG, caught.exception.get_error_code()
        )

    def test_migrating_with_the_device_is_refused(self) -> None:
        domain, _ = self.domain_and_alias()
        uri, _, _ = self.adapter.destination()
        with self.assertRaisesRegex(
            self.adapter.libvirt.libvirtError, 'cannot migrate'
        ):
            self.migrate(domain, uri, {})
        self.assertTrue(domain.isActive())
        self.assertIsNotNone(self.vf(domain))

    def test_the_destination_tells_when_the_guest_runs(self) -> None:
        """It is called started before, when QEMU waits for its memory."""
        domain, alias = self.domain_and_alias()
        uri, there, _ = self.adapter.destination()
        self.unplug(domain, alias)
        with self.lifecycle(there, domain.UUIDString()) as told:
            self.migrate(
                domain,
                uri,
                {
                    'persistent_xml': domain.XMLDesc(
                        self.adapter.libvirt.VIR_DOMAIN_XML_MIGRATABLE
                    )
                },
            )
            self.assertTrue(
                self.wait(
                    lambda: (
                        self.adapter.libvirt.VIR_DOMAIN_EVENT_RESUMED in told
                    )
                )
            )
        ours = [
            self.adapter.libvirt.VIR_DOMAIN_EVENT_STARTED,
            self.adapter.libvirt.VIR_DOMAIN_EVENT_RESUMED,
        ]
        # A real one tells as well that the domain is defined.
        self.assertEqual(ours, [event for event in told if event in ours][:2])

    def test_a_guest_that_goes_on_says_that_it_runs(self) -> None:
        """With the event by which an arrival is told as well."""
        domain, _ = self.domain_and_alias()
        resumed = self.adapter.libvirt.VIR_DOMAIN_EVENT_RESUMED
        with self.lifecycle(domain.connect(), domain.UUIDString()) as told:
            with self.paused(domain):
                self.assertNotIn(resumed, told)
            self.assertTrue(self.wait(lambda: resumed in told))

    def test_the_wide_persistent_xml_arrives(self) -> None:
        domain, alias = self.domain_and_alias()
        uuid = domain.UUIDString()
        uri, there, free = self.adapter.destination()
        guest_address = steps.guest_address(self.vf(domain))
        self.unplug(domain, alias)
        live = domain.XMLDesc(self.adapter.libvirt.VIR_DOMAIN_XML_MIGRATABLE)
        self.migrate(
            domain,
            uri,
            {
                'destination_xml': live,
                'persistent_xml': steps.wide(
                    live, self.inactive_vf(domain), free
                ),
            },
        )
        arrived = there.lookupByUUIDString(uuid)
        self.assertTrue(arrived.isActive())
        self.assertIsNone(self.vf(arrived))
        self.attach(arrived, self.inactive_vf(arrived))
        self.assertEqual(guest_address, steps.guest_address(self.vf(arrived)))
        self.assertEqual(free, steps.host_address(self.vf(arrived)))
        self.assertEqual(
            steps.addresses(arrived.XMLDesc(0)),
            steps.addresses(self.inactive(arrived)),
        )
