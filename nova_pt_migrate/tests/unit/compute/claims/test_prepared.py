# SPDX-License-Identifier: Apache-2.0
"""What was set up for servers that do not come is undone, and no more."""

import threading
from typing import Any

from nova.network import model as network_model
from nova.objects import pci_device
import testtools

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import prepared

ONE, OTHER = 'one', 'other'
FIRST, SECOND = '0000:81:00.1', '0000:81:00.2'


def vif(address: str | None) -> network_model.VIF:
    profile = {'pci_slot': address} if address else {}
    return network_model.VIF(id=f'port-{address}', profile=profile)


class PreparedTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.unplugged: list[str | None] = []
        self.failing = False
        self.prepared = prepared.Prepared(self.unplug)

    def unplug(self, vif: Any) -> None:
        if self.failing:
            raise OSError('ip: Operation not permitted')
        self.unplugged.append(our_vifs.address(vif))

    def test_what_has_no_device_is_nothing(self) -> None:
        self.prepared.note(ONE, [vif(None), vif(FIRST)])
        self.assertEqual([vif(FIRST)], self.prepared.vifs(ONE))

    def test_it_is_taken_down_once(self) -> None:
        self.prepared.note(ONE, [vif(FIRST), vif(SECOND)])
        self.assertTrue(self.prepared.take_down(ONE))
        self.assertTrue(self.prepared.take_down(ONE))
        self.assertEqual([FIRST, SECOND], self.unplugged)
        self.assertEqual(set(), self.prepared.servers())

    def test_one_device_of_two(self) -> None:
        self.prepared.note(ONE, [vif(FIRST), vif(SECOND)])
        self.assertTrue(self.prepared.take_down(ONE, address=SECOND))
        self.assertEqual([SECOND], self.unplugged)
        self.assertEqual(ONE, self.prepared.owner(FIRST))

    def test_what_another_server_has_is_left(self) -> None:
        self.prepared.note(ONE, [vif(FIRST)])
        self.prepared.note(OTHER, [vif(SECOND)])
        self.prepared.take_down(ONE)
        self.assertEqual({OTHER}, self.prepared.servers())
        self.assertEqual([FIRST], self.unplugged)

    def test_it_is_kept_while_the_server_may_come(self) -> None:
        self.prepared.note(ONE, [vif(FIRST)])
        self.assertFalse(self.prepared.take_down(ONE, lambda: True))
        self.assertEqual([], self.unplugged)

    def test_what_is_set_up_while_that_is_asked_is_kept(self) -> None:
        """The server comes after all, with the same device."""
        self.prepared.note(ONE, [vif(FIRST)])

        def answer() -> bool:
            self.prepared.note(ONE, [vif(FIRST), vif(SECOND)])
            return False

        self.prepared.take_down(ONE, answer)
        self.assertEqual({ONE}, self.prepared.servers())
        self.assertEqual([vif(FIRST), vif(SECOND)], self.prepared.vifs(ONE))
        self.assertEqual([], self.unplugged)

    def test_it_is_tried_again(self) -> None:
        self.prepared.note(ONE, [vif(FIRST)])
        self.failing = True
        self.assertFalse(self.prepared.take_down(ONE))
        self.assertRaises(OSError, self.prepared.make_way, OTHER, FIRST)
        self.failing = False
        self.assertTrue(self.prepared.take_down(ONE))
        self.assertEqual([FIRST], self.unplugged)

    def test_it_makes_way_for_another_server(self) -> None:
        self.prepared.note(ONE, [vif(FIRST)])
        for server, address in ((ONE, FIRST), (OTHER, None), (OTHER, SECOND)):
            self.prepared.make_way(server, address)
        self.assertEqual([], self.unplugged)
        self.prepared.make_way(OTHER, FIRST)
        self.assertEqual([FIRST], self.unplugged)
        self.assertIsNone(self.prepared.owner(FIRST))

    def test_whoever_comes_second_waits(self) -> None:
        begun, going_on = threading.Event(), threading.Event()

        def unplug(vif: Any) -> None:
            begun.set()
            going_on.wait(10)
            self.unplugged.append(our_vifs.address(vif))

        both = prepared.Prepared(unplug)
        both.note(ONE, [vif(FIRST)])
        first = threading.Thread(target=both.take_down, args=(ONE,))
        first.start()
        begun.wait(10)
        second = threading.Thread(target=both.make_way, args=(OTHER, FIRST))
        second.start()
        self.assertTrue(second.is_alive())
        going_on.set()
        for thread in (first, second):
            thread.join(10)
        self.assertEqual([FIRST], self.unplugged)

    def test_a_server_that_arrives_without_one_of_its_ports(self) -> None:
        self.prepared.note(ONE, [vif(FIRST), vif(SECOND)])
        self.prepared.arrived(ONE, {SECOND})
        self.assertEqual([FIRST], self.unplugged)
        self.assertEqual(set(), self.prepared.servers())

    def test_what_an_earlier_nova_compute_had_claimed(self) -> None:
        devices = [
            pci_device.PciDevice(address=FIRST, instance_uuid=ONE),
            pci_device.PciDevice(address=SECOND, instance_uuid=None),
        ]
        asked: list[Any] = []

        def find(device: Any) -> network_model.VIF:
            asked.append(device)
            return vif(device.address)

        self.prepared.recall(devices, find)
        self.assertEqual([], asked)
        self.assertEqual([], self.prepared.vifs(ONE))
        self.prepared.take_down(ONE)
        self.assertEqual([FIRST], self.unplugged)
