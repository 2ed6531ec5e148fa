# SPDX-License-Identifier: Apache-2.0

import dataclasses
import types
from typing import Any
from typing import cast

import fixtures
from nova import objects
from nova.network import model as network_model
import testtools

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.pairs import second_ports
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.tests.unit.compute.server import test_bringing

PORT = '11111111-2222-4333-8444-555555555555'
MAC = 'fa:16:3e:00:00:01'
TWIN = 'f6:16:3e:00:00:01'
BRIDGE = {'physnet1': uplinks.Uplink(uplinks.Kind.BRIDGE, 'br-ext')}


class Network(dict[str, Any]):
    mtu = 9000

    def get_meta(self, name: str) -> Any:
        return {'mtu': self.mtu}.get(name)


def subnet(address: str | None = '192.0.2.10', **meta: Any) -> Any:
    """Return a subnet of Nova's, with the address that the port has there."""
    found = network_model.Subnet(cidr='192.0.2.0/24', **meta)
    if address:
        found.add_ip(network_model.FixedIP(address=address))
    return found


class Links:
    """A host with one PF, eth1, which is a port of br-ext."""

    def __init__(self) -> None:
        self.netdevs_of: dict[str, list[str]] = {}

    def physical_function(self, device: str) -> str | None:
        return None if device.endswith('00.0') else 'eth1'

    def netdevs(self, device: str) -> list[str]:
        return ['eth1'] if device.endswith('00.0') else []

    def lies_on(self, kind: str, on: str, function: str) -> bool:
        return function == 'eth1' and on in ('br-ext', 'eth1')

    def way_out(self, kind: str, on: str) -> str | None:
        return 'eth1' if kind == 'bridge' else on


def vif(
    number: int = 1,
    vnic_type: str = 'direct',
    network: str = 'net',
    **more: Any,
) -> Any:
    return {
        'id': f'{number}{PORT[1:]}',
        'address': f'fa:16:3e:00:00:0{number}',
        'vnic_type': vnic_type,
        'type': 'hw_veb',
        'details': {'vlan': '42'},
        'network': Network(id=network, subnets=[subnet(enable_dhcp=True)]),
        'profile': {
            'pci_slot': '0000:81:10.1',
            'physical_network': 'physnet1',
            **more,
        },
    }


def instance(image: dict[str, str] | None = None, **extra_specs: str) -> Any:
    return types.SimpleNamespace(
        image_meta=objects.ImageMeta.from_dict(
            {'properties': {'hw_machine_type': 'q35', **(image or {})}}
        ),
        flavor=types.SimpleNamespace(
            extra_specs={
                f'pt_migrate:{key}': value
                for key, value in extra_specs.items()
            }
        ),
    )


def find(
    vifs: list[Any],
    specs: dict[str, str],
    uplinks: dict[str, Any] | None = None,
    image: dict[str, str] | None = None,
) -> list[paired_ports.PairedPort]:
    names = ['none', 'failover', 'bond']
    settings = dataclasses.replace(
        test_bringing.SETTINGS,
        standby_uplinks=BRIDGE if uplinks is None else uplinks,
    )
    return paired_ports.PairedPorts(
        settings, plugins.pairings(names), cast(Any, Links())
    ).of(instance(image, **specs), vifs)


def over_two(need: str = 'required') -> list[paired_ports.PairedPort]:
    """Return the paired of a server with one VF and an ordinary port."""
    return find(
        [vif(1), vif(3, 'normal')], {'pairing': 'bond', 'standby': need}
    )


def own(
    pairing: str,
    need: str = 'required',
    uplinks: dict[str, Any] | None = None,
    bond: str = 'prepare',
    **more: Any,
) -> list[paired_ports.PairedPort]:
    """Return the paired of a server with one VF."""
    specs = {'pairing': pairing, 'standby': need, 'bond': bond}
    return find([vif(**more)], specs, uplinks)


class TestOwnStandby(testtools.TestCase):
    def test_of_a_bond(self) -> None:
        (paired,) = own('bond')
        self.assertEqual(
            pairs.Pair(
                port=PORT,
                device='0000:81:10.1',
                mac=MAC,
                whole_function=False,
                kind=pairs.StandbyKind.OWN,
                standby_mac=TWIN,
                on_own_pf=True,
            ),
            paired.pair,
        )
        self.assertEqual(
            handover.Standby(
                'pts11111111-22', MAC, 'eth1', 'eth1', 42, early=True
            ),
            paired.standby,
        )
        self.assertEqual(9000, paired.mtu)

    def test_failover_has_one_mac_address(self) -> None:
        (paired,) = own('failover')
        self.assertEqual(MAC, paired.pair.standby_mac)

    def test_a_macvtap_takes_its_own_frames(self) -> None:
        kind = uplinks.Kind.MACVTAP
        for link, shared in (('eth1', True), ('eth2', False)):
            (paired,) = own(
                'bond', uplinks={'physnet1': uplinks.Uplink(kind, link)}
            )
            assert paired.standby is not None
            self.assertIsNone(paired.standby.filter)
            self.assertFalse(paired.standby.early)
            self.assertEqual(link, paired.standby.uplink)
            self.assertEqual(shared, paired.pair.on_own_pf)

    def test_a_whole_function_that_the_bridge_hangs_on(self) -> None:
        (paired,) = own(
            'bond', vnic_type='direct-physical', pci_slot='0000:81:00.0'
        )
        self.assertTrue(paired.pair.whole_function)
        self.assertTrue(paired.pair.on_own_pf)
        self.assertIn('very PF', paired.unfit[0])
        self.assertIsNone(paired.standby)

    def test_a_network_that_is_not_mapped(self) -> None:
        (paired,) = own('bond', uplinks={})
        self.assertIs(pairs.StandbyKind.NONE, paired.pair.kind)
        self.assertIsNone(paired.standby)

    def test_a_machine_that_cannot_have_the_pairing(self) -> None:
        for image, words in (
            ({'hw_machine_type': 'pc'}, 'PCIe'),
            ({'hw_vif_model': 'e1000'}, 'virtio'),
        ):
            (paired,) = find([vif()], {'pairing': 'failover'}, image=image)
            self.assertIn(words, paired.unfit[0])
            self.assertIs(pairs.StandbyKind.NONE, paired.pair.kind)
            self.assertIsNone(paired.standby)

    def test_nobody_wants_one(self) -> None:
        self.assertEqual([], own('none'))
        self.assertEqual([], own('bond', need='none'))

    def test_netdevs_have_names_that_the_kernel_takes(self) -> None:
        (paired,) = own('bond')
        assert paired.standby is not None
        self.assertLess(len(paired.standby.link), 16)
        self.assertFalse(paired.standby.link.startswith('macvtap'))


class TestSecondPort(testtools.TestCase):
    def test_it_is_taken_for_the_standby(self) -> None:
        (paired,) = find([vif(1), vif(3, 'normal')], {'pairing': 'bond'})
        self.assertIs(pairs.StandbyKind.PORT, paired.pair.kind)
        self.assertEqual('fa:16:3e:00:00:03', paired.pair.standby_mac)
        self.assertEqual(f'3{PORT[1:]}', paired.pair.standby_port)

    def test_failover_takes_none(self) -> None:
        (paired,) = find([vif(1), vif(3, 'normal')], {'pairing': 'failover'})
        self.assertIs(pairs.StandbyKind.OWN, paired.pair.kind)

    def test_the_tags_are_asked_for_once(self) -> None:
        names = {f'3{PORT[1:]}': f'2{PORT[1:]}'}
        asked = self.useFixture(
            fixtures.MockPatchObject(second_ports, 'named', return_value=names)
        ).mock
        vifs = [vif(1), vif(2), vif(3, 'normal'), vif(4, 'normal')]
        found = find(vifs, {'pairing': 'bond'})
        self.assertEqual(
            [f'4{PORT[1:]}', f'3{PORT[1:]}'],
            [paired.pair.standby_port for paired in found],
        )
        self.assertEqual(1, asked.call_count)

    def test_the_ports_beside_those_that_are_given(self) -> None:
        names = ['bond']
        found = paired_ports.PairedPorts(
            test_bringing.SETTINGS, plugins.pairings(names), cast(Any, Links())
        )
        (paired,) = found.of(
            instance(pairing='bond'), [vif(1)], [vif(3, 'normal'), vif(1)]
        )
        self.assertIs(pairs.StandbyKind.PORT, paired.pair.kind)


class TestChoice(testtools.TestCase):
    def test_the_operators_word_for_a_port_comes_first(self) -> None:
        self.assertEqual([], own('bond', pt_migrate_pairing='none'))
        (paired,) = own('none', pt_migrate_pairing='failover')
        self.assertEqual('failover', paired.choice.pairing)

    def test_a_word_that_nobody_knows_is_passed_over(self) -> None:
        (paired,) = own('bond', need='rather', pt_migrate_pairing='x\ny')
        self.assertEqual('bond', paired.choice.pairing)
        self.assertIs(pairs.Need.REQUIRED, paired.choice.standby)


class TestTwin(testtools.TestCase):
    def test_each_follows_from_the_other(self) -> None:
        self.assertEqual(TWIN, pairs.twin(MAC))
        self.assertEqual(MAC, pairs.twin(TWIN))

    def test_it_is_of_no_group_and_as_local_as_the_other(self) -> None:
        for first in range(256):
            other = int(pairs.twin(f'{first:02x}:00')[:2], 16)
            self.assertEqual(first & 3, other & 3)
            self.assertNotEqual(first, other)
