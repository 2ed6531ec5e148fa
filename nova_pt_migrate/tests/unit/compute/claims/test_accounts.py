# SPDX-License-Identifier: Apache-2.0
import types
from typing import Any
import unittest

from nova_pt_migrate.compute.claims import accounts


def vif(port: str, address: str | None) -> dict[str, Any]:
    profile = {'pci_slot': address} if address else None
    return {'id': port, 'profile': profile}


def device(address: str, request: str | None) -> Any:
    return types.SimpleNamespace(address=address, request_id=request)


class AccountsTest(unittest.TestCase):
    """Ports a and b have requests, and so has the flavor."""

    def setUp(self) -> None:
        self.instance = types.SimpleNamespace(
            uuid='server',
            pci_requests=types.SimpleNamespace(
                requests=[
                    types.SimpleNamespace(
                        request_id=f'of-{port}',
                        requester_id=port,
                        source='port',
                    )
                    for port in ('a', 'b')
                ]
                + [
                    types.SimpleNamespace(
                        request_id='of-flavor',
                        requester_id=None,
                        source=accounts.ALIAS,
                    )
                ]
            ),
        )
        self.held = [
            device('1', 'of-a'),
            device('2', 'of-b'),
            device('3', 'of-flavor'),
            device('4', None),
        ]
        self.vifs = [vif('a', '1'), vif('b', '2'), vif('c', None)]

    def unaccounted(self, guest: set[str], vifs: list[Any]) -> list[str]:
        return accounts.unaccounted(guest, self.instance, vifs, self.held)

    def strays(self, vifs: list[Any]) -> list[str]:
        found = accounts.strays(self.instance, vifs, self.held)
        return [each.address for each in found]

    def test_all_are_accounted_for(self) -> None:
        self.assertEqual([], self.unaccounted({'1', '2', '3'}, self.vifs))
        self.assertEqual([], self.strays(self.vifs))

    def test_a_port_that_is_not_known_is_named(self) -> None:
        (sentence,) = self.unaccounted({'1', '2'}, self.vifs[:1])
        self.assertIn('device 2 of port b', sentence)

    def test_a_device_of_nobody(self) -> None:
        (sentence,) = self.unaccounted({'5'}, self.vifs)
        self.assertIn('device 5 of no port', sentence)

    def test_one_of_a_port_that_has_left_is_a_stray(self) -> None:
        self.assertEqual(['2'], self.strays(self.vifs[:1]))

    def test_one_that_a_port_names_is_none(self) -> None:
        """A port has got it though it was set aside for another."""
        self.assertEqual([], self.strays([vif('a', '2')]))
