# SPDX-License-Identifier: Apache-2.0

import threading

import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.host import domain
from nova_pt_migrate.host import events
from nova_pt_migrate.host import xml as domain_xml
from nova_pt_migrate.tests.unit.host import test_xml


class Libvirt:
    """As much of the libvirt module as this room uses."""

    VIR_DOMAIN_AFFECT_LIVE = 1
    VIR_DOMAIN_AFFECT_CONFIG = 2
    VIR_DOMAIN_XML_SECURE = 1
    VIR_DOMAIN_XML_INACTIVE = 2

    class libvirtError(Exception):  # noqa: N801, N818 (libvirt's name)
        pass


class VirDomain:
    def __init__(self) -> None:
        self.active = True
        self.calls: list[tuple[str, str, int]] = []
        self.error: Exception | None = None
        self.counters = {'tap1': [60, 1, 0, 0, 120, 2, 0, 0]}
        self.blocked = threading.Event()
        self.blocked.set()

    def isActive(self) -> int:
        self._raise()
        return int(self.active)

    def connect(self) -> 'VirDomain':
        return self

    def defineXML(self, xml: str) -> None:
        self._raise()
        self.calls.append(('define', xml, 0))

    def XMLDesc(self, flags: int) -> str:
        self.flags = flags
        inactive = flags & Libvirt.VIR_DOMAIN_XML_INACTIVE
        return test_xml.domain(*([test_xml.VF] if inactive else []))

    def interfaceStats(self, path: str) -> list[int]:
        self._raise()
        return self.counters[path]

    def UUIDString(self) -> str:
        return 'the-uuid'

    def detachDeviceAlias(self, alias: str, flags: int) -> None:
        self._raise()
        self.calls.append(('detach', alias, flags))

    def attachDeviceFlags(self, xml: str, flags: int) -> None:
        self.blocked.wait(60)
        self._raise()
        self.calls.append(('attach', xml, flags))

    def _raise(self) -> None:
        if self.error:
            raise self.error


class TestLibvirtDomain(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.vir = VirDomain()
        self.domain = domain.LibvirtDomain(
            self.vir, Libvirt, events.DeviceEvents()
        )

    def test_live_and_persistent_are_told_apart(self) -> None:
        found = self.domain.observe()
        self.assertEqual({}, found.live)
        self.assertEqual(['0000:81:10.2'], list(found.persistent))
        self.assertEqual(2.0, found.memory_gib)

    def test_a_domain_that_is_off_has_no_live_devices(self) -> None:
        self.vir.active = False
        self.assertFalse(self.domain.observe().active)

    def test_libvirts_error_becomes_ours(self) -> None:
        self.vir.error = Libvirt.libvirtError('no connection')
        for call in (
            self.domain.observe,
            lambda: self.domain.request_unplug('hostdev0'),
            lambda: self.domain.sent('tap1'),
        ):
            error = self.assertRaises(errors.HostError, call)
            self.assertEqual('libvirt: no connection', str(error))

    def test_what_the_guest_has_sent_is_its_tx(self) -> None:
        self.assertEqual(2, self.domain.sent('tap1'))

    def test_what_libvirt_does_not_count_is_an_error(self) -> None:
        self.vir.counters['tap1'] = [-1] * 8
        error = self.assertRaises(errors.HostError, self.domain.sent, 'tap1')
        self.assertIn('tap1', str(error))

    def test_an_unplug_changes_the_live_domain_only(self) -> None:
        self.domain.request_unplug('hostdev0')
        self.assertEqual(
            [('detach', 'hostdev0', Libvirt.VIR_DOMAIN_AFFECT_LIVE)],
            self.vir.calls,
        )

    def test_a_plug_is_persisted_only_where_asked(self) -> None:
        self.domain.plug(test_xml.VF, False, 60)
        self.domain.plug(test_xml.VF, True, 60)
        self.assertEqual([1, 3], [call[2] for call in self.vir.calls])
        self.assertNotIn('alias', self.vir.calls[0][1])

    def test_a_refused_plug_says_what_libvirt_said(self) -> None:
        self.vir.error = Libvirt.libvirtError('No more available PCI slots')
        error = self.assertRaises(
            errors.PlugFailed, self.domain.plug, test_xml.VF, False, 60
        )
        self.assertEqual('libvirt: No more available PCI slots', str(error))

    def test_a_refused_plug_tells_whether_another_device_may_do(self) -> None:
        for text, unfit in (
            ('internal error: No more available PCI slots', False),
            ('vfio 0000:81:10.2: failed to setup container: Cannot allocate '
             'memory', False),
            ("cannot limit locked memory of process 7", False),
            ('host doesn\'t support passthrough of host PCI devices', False),
            ('PCI device 0000:81:10.2 is in use by driver QEMU', True),
            ('vfio 0000:81:10.2: group 7 is not viable', True),
            ('an error that nobody has seen yet', True),
        ):  # fmt: skip
            self.vir.error = Libvirt.libvirtError(text)
            error = self.assertRaises(
                errors.PlugFailed, self.domain.plug, test_xml.VF, False, 60
            )
            self.assertEqual(unfit, isinstance(error, errors.UnfitDevice))

    def test_an_exchange_keeps_the_guests_address(self) -> None:
        element = self.domain.exchange('0000:81:10.2', test_xml.PF)
        ((_, xml, _),) = self.vir.calls
        (found,) = domain_xml.devices(xml).values()
        self.assertEqual('0000:82:00.1', found.address)
        self.assertEqual(test_xml.AT_07, test_xml.guest_address(found.xml))
        self.assertEqual(found.xml, str(element).strip())
        self.assertTrue(self.vir.flags & Libvirt.VIR_DOMAIN_XML_SECURE)

    def test_a_device_that_is_not_there_is_not_exchanged(self) -> None:
        self.assertIsNone(self.domain.exchange('0000:81:10.3', test_xml.PF))
        self.assertEqual([], self.vir.calls)

    def test_an_exchange_that_libvirt_refuses(self) -> None:
        self.vir.error = Libvirt.libvirtError('disk full')
        self.assertRaises(
            errors.HostError,
            self.domain.exchange, '0000:81:10.2', test_xml.PF,
        )  # fmt: skip

    def test_a_plug_that_hangs_is_left_behind_at_the_deadline(self) -> None:
        self.vir.blocked.clear()
        self.addCleanup(self.vir.blocked.set)
        self.assertRaises(
            errors.PlugTimeout, self.domain.plug, test_xml.VF, False, 0.01
        )

    def test_a_defect_of_ours_is_not_taken_for_libvirts(self) -> None:
        self.vir.error = ZeroDivisionError()
        self.assertRaises(
            ZeroDivisionError, self.domain.plug, test_xml.VF, False, 60
        )

    def test_events_of_the_domain_are_watched(self) -> None:
        with self.domain.watch() as watch:
            self.assertEqual([], watch.wait(0))
