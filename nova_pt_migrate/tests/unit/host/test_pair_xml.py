# SPDX-License-Identifier: Apache-2.0

from lxml import etree
import testtools

from nova_pt_migrate.host import pair_xml


def own(name: str = 'pts1', mac: str = 'm1') -> str:
    return (
        f'<interface type="ethernet"><mac address="{mac}"/>'
        f'<target dev="{name}" managed="no"/></interface>'
    )


def ordinary(name: str) -> str:
    return f'<interface type="bridge"><target dev="{name}"/></interface>'


def domain(*devices: str) -> str:
    return f'<domain><devices>{"".join(devices)}</devices></domain>'


def names(xml: str) -> list[str]:
    return [
        str(target.get('dev'))
        for target in etree.fromstring(xml).iter('target')
    ]


class TestStandbys(testtools.TestCase):
    def test_they_come_after_all_other_interfaces(self) -> None:
        xml = domain(ordinary('tap1'), '<disk/>', ordinary('tap2'), '<rng/>')
        found = pair_xml.with_standbys(xml, [own('pts1'), own('pts2')])
        self.assertEqual(['tap1', 'tap2', 'pts1', 'pts2'], names(found))
        tags = [e.tag for e in etree.fromstring(found).find('devices')]
        self.assertEqual('rng', tags[-1])

    def test_a_domain_without_interfaces_gets_them(self) -> None:
        self.assertEqual(
            ['pts1'], names(pair_xml.with_standbys(domain(), [own()]))
        )

    def test_no_standby_changes_nothing(self) -> None:
        self.assertEqual('<x />', pair_xml.with_standbys('<x />', []))


class TestHiding(testtools.TestCase):
    def test_what_was_hidden_comes_back_at_its_place(self) -> None:
        for devices in (
            (own('pts1'), ordinary('tap1'), own('pts2'), ordinary('tap2')),
            (ordinary('tap1'), own('pts1')),
            (own('pts1'), own('pts2')),
            (ordinary('tap1'),),
        ):
            xml = domain(*devices, '<rng/>')
            narrow, hidden = pair_xml.hide(xml)
            self.assertNotIn('pts', narrow)
            self.assertEqual(names(xml), names(pair_xml.show(narrow, hidden)))

    def test_only_standbys_of_ours_are_hidden(self) -> None:
        bridge = own().replace('ethernet', 'bridge')
        xml = domain(bridge, own('tap1'), '<interface type="ethernet"/>')
        self.assertEqual(names(xml), names(pair_xml.hide(xml)[0]))
