# SPDX-License-Identifier: Apache-2.0

from lxml import etree
import testtools

from nova_pt_migrate.host import xml

VF = """
<interface type='hostdev' managed='yes'>
  <mac address='52:54:00:0a:00:01'/>
  <source>
    <address type='pci' domain='0x0000' bus='0x81' slot='0x10'
             function='0x2'/>
  </source>
  <alias name='hostdev0'/>
  <address type='pci' domain='0x0000' bus='0x07' slot='0x00'
           function='0x0'/>
</interface>
"""
PF = """
<hostdev mode='subsystem' type='pci' managed='yes'>
  <source>
    <address domain='0x0000' bus='0x82' slot='0x00' function='0x1'/>
  </source>
  <alias name='ua-pf'/>
</hostdev>
"""
ORDINARY = """
<interface type='bridge'>
  <mac address='52:54:00:0a:00:02'/>
  <alias name='net0'/>
  <address type='pci' domain='0x0000' bus='0x01' slot='0x00'
           function='0x0'/>
</interface>
"""
MDEV = """
<hostdev mode='subsystem' type='mdev' model='vfio-pci'>
  <source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>
</hostdev>
"""


def domain(*devices: str) -> str:
    return (
        '<domain><memory unit="KiB">2097152</memory>'
        f'<devices>{"".join(devices)}</devices></domain>'
    )


def guest_address(element: str) -> dict[str, str] | None:
    """Return where a device is in the guest, as its element says."""
    found = etree.fromstring(element).find("./address[@type='pci']")
    return None if found is None else dict(found.attrib)


AT_07 = {
    'type': 'pci',
    'domain': '0x0000',
    'bus': '0x07',
    'slot': '0x00',
    'function': '0x0',
}


class TestDevices(testtools.TestCase):
    def test_vfs_and_whole_functions_are_found_by_host_address(self) -> None:
        found = xml.devices(domain(VF, ORDINARY, PF, MDEV))
        self.assertEqual(['0000:81:10.2', '0000:82:00.1'], sorted(found))
        vf = found['0000:81:10.2']
        self.assertEqual('hostdev0', vf.alias)
        self.assertEqual(AT_07, guest_address(vf.xml))
        self.assertIsNone(guest_address(found['0000:82:00.1'].xml))

    def test_an_ordinary_nic_and_a_mediated_device_are_not(self) -> None:
        self.assertEqual({}, xml.devices(domain(ORDINARY, MDEV)))

    def test_memory_is_in_gib(self) -> None:
        self.assertEqual(2.0, xml.memory_gib(domain()))
        self.assertEqual(0.0, xml.memory_gib('<domain/>'))


class TestForPlug(testtools.TestCase):
    def test_libvirts_own_alias_goes_and_the_address_stays(self) -> None:
        element = etree.fromstring(xml.for_plug(VF))
        self.assertIsNone(element.find('alias'))
        self.assertEqual('0x07', element.find('./address').get('bus'))

    def test_a_users_alias_stays(self) -> None:
        element = etree.fromstring(xml.for_plug(PF))
        self.assertEqual('ua-pf', element.find('alias').get('name'))


class TestGuestAddress(testtools.TestCase):
    def test_the_guests_address_moves_to_the_new_device(self) -> None:
        element = etree.fromstring(xml.with_guest_address(PF, VF))
        self.assertEqual('0x07', element.find('./address').get('bus'))
        self.assertEqual('0x82', element.find('./source/address').get('bus'))

    def test_without_one_libvirt_is_left_to_choose(self) -> None:
        element = etree.fromstring(xml.with_guest_address(VF, PF))
        self.assertIsNone(element.find('./address'))


class TestWithDevices(testtools.TestCase):
    def test_devices_are_added_to_the_others(self) -> None:
        wide = xml.with_devices(domain(ORDINARY), [VF, PF])
        self.assertEqual(
            ['0000:81:10.2', '0000:82:00.1'], sorted(xml.devices(wide))
        )
        self.assertEqual(3, len(etree.fromstring(wide).find('./devices')))

    def test_one_device_is_taken_out_of_the_others(self) -> None:
        left = xml.without(domain(ORDINARY, VF, PF), '0000:81:10.2')
        self.assertEqual(['0000:82:00.1'], list(xml.devices(left)))
        self.assertEqual(2, len(etree.fromstring(left).find('./devices')))

    def test_a_document_without_devices_is_no_domain(self) -> None:
        self.assertRaises(ValueError, xml.with_devices, '<domain/>', [VF])
