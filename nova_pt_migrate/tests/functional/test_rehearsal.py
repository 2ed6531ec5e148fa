# SPDX-License-Identifier: Apache-2.0
"""Claimed VFs are bound to VFIO and back before anything else is changed."""

import re
from typing import Any

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired

DETACH = 'detachFlags'
REATTACH = 'reAttach'
FIRST = f'0000:{base.BUS:02x}:00.7'
"""Which of its VFs a host gives first, to the first port."""


class Rehearsal(paired.Paired):
    """A server without pairs, on hosts whose netdevs are doubles."""

    def setUp(self) -> None:
        super().setUp()
        self.stop_settling()

    def start(self, count: int = 2) -> None:
        self.port_ids = self.ports.direct(count)
        self.server, self.whole = self.prepare(self.port_ids)

    def driver(self, device: str, host: str = base.DESTINATION) -> str:
        node = self._clients[host].nodeDeviceLookupByName(
            'pci_' + re.sub('[:.]', '_', device)
        )
        names = re.findall(r'<driver>\s*<name>(.*)</name>', node.XMLDesc())
        return str(names[0])

    def rehearsed(self) -> list[tuple[str, str]]:
        return [
            (call.name, call.devices[0])
            for call in self.double.calls.of(DETACH, REATTACH)
        ]

    def assert_refused(self, *words: str) -> None:
        """Nothing was changed, and nothing is held, by anybody."""
        self.migrate(self.server, 'error')

        self.assertIn('pt_migrate_destination', self.events(self.server))
        whole = ours.shown(self, self.server, 'pt_migrate_destination')
        for word in (base.DESTINATION, *words):
            self.assertIn(word, whole)
        self.assertIn(words[0], ours.shown(self, self.server))
        tracker = self.computes[base.DESTINATION].manager.rt
        self.assertEqual({}, pci_tracker.held(tracker))
        self.whole.check(always.End(base.SOURCE, 'error'))
        self.assert_one_owner([], [])


class RehearsalTest(Rehearsal):
    def test_each_is_bound_and_given_back_before_the_unplug(self) -> None:
        self.start()

        self.migrate(self.server)

        there = sorted(self.whole.devices().values())
        calls = [
            (call.name, call.host, device)
            for call in self.double.calls.of(DETACH, REATTACH, ours.OUR_UNPLUG)
            for device in call.devices
        ]
        first_unplug = next(
            number
            for number, call in enumerate(calls)
            if call[0] == ours.OUR_UNPLUG
        )
        self.assertEqual(
            sorted(
                (name, base.DESTINATION, device)
                for name in (DETACH, REATTACH)
                for device in there
            ),
            sorted(calls[:first_unplug]),
        )
        self.assertEqual(4 + 2, len(calls))
        self.whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_whole_physical_function_is_not(self) -> None:
        ports = [self.ports.direct_physical(), *self.ports.ordinary()]
        server, whole = self.prepare(ports)

        self.migrate(server)

        self.assertEqual([], self.rehearsed())
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_a_third_host_is_tried(self) -> None:
        self.start()
        self.start_compute(
            hostname=base.THIRD, pci_info=self.pci_info(base.THIRD)
        )
        self.boot(self.ports.direct(), host=base.THIRD)
        self.double.calls.clear()
        self.double.faults.fail(
            DETACH, errors.internal('no VFIO'), host=base.DESTINATION, times=2
        )

        self.migrate(self.server)

        self.whole.check(always.End(base.THIRD, 'completed'))
        self.assertIn('no VFIO', ours.shown(self, self.server))


class UnfitTest(Rehearsal):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def hypervisor(self) -> Any:
        return self.double.hypervisors[base.DESTINATION]

    def fake(self) -> Any:
        """Return Nova's fake of the first device."""
        name = 'pci_' + re.sub('[:.]', '_', FIRST)
        return self.hypervisor()._devices[name]

    def test_the_kernel_does_not_bind_it(self) -> None:
        self.double.settings.unbindable = frozenset(
            {(base.DESTINATION, FIRST)}
        )
        self.assert_refused(FIRST, self.port_ids[0], 'does not bind it')
        self.assertNotIn('vfio', self.driver(FIRST))

    def test_both_are_named(self) -> None:
        self.double.faults.fail(DETACH, errors.internal('no VFIO'), times=2)
        self.assert_refused(*self.port_ids)

    def test_it_has_no_iommu_group(self) -> None:
        fake = self.fake()
        fake.pci_device = re.sub(
            '(?s)<iommuGroup.*</iommuGroup>', '', fake.pci_device
        )
        self.assert_refused(FIRST, 'no IOMMU group')
        self.assertNotIn((DETACH, FIRST), self.rehearsed())

    def test_it_is_gone(self) -> None:
        devices = self.computes[base.DESTINATION].driver._host
        info = devices.get_connection().pci_info
        look_up = info.get_device_by_name
        gone = 'pci_' + re.sub('[:.]', '_', FIRST)
        info.get_device_by_name = lambda name: (
            None if name == gone else look_up(name)
        )
        self.assert_refused(FIRST, 'no nodedev with matching name')

    def test_its_physical_function_is_off(self) -> None:
        self.links[base.DESTINATION].obstacles[FIRST] = (
            'its physical function eth5 is off (switch it on)'
        )
        self.assert_refused(FIRST, 'eth5 is off')
        self.assertNotIn((DETACH, FIRST), self.rehearsed())
        self.assertEqual([], self.links[base.SOURCE].steps)

    def test_a_netdev_of_it_is_in_use(self) -> None:
        self.links[base.DESTINATION].obstacles[FIRST] = (
            'its netdev is in another network namespace (bring it back)'
        )
        self.assert_refused(FIRST, 'network namespace')
        self.assertNotIn((DETACH, FIRST), self.rehearsed())

    def test_a_domain_that_nova_does_not_know_has_it(self) -> None:
        here = self.double.hypervisors[base.SOURCE].find(self.server['id'])
        machine = self.hypervisor().define(_of_another(here))
        machine.start(machine.document)
        self.assert_refused(FIRST, 'in use by driver QEMU')
        self.assertEqual('vfio-pci', self.driver(FIRST))
        self.assertTrue(machine.active)

    def test_libvirt_does_not_answer(self) -> None:
        rehearsal = self.computes[base.DESTINATION].driver._pt.rehearsal
        rehearsal._seconds = 0.1
        hang = self.double.faults.hang(DETACH)
        self.assert_refused('has not answered')
        hang.release()
        self.wait_for(
            lambda: self.double.calls.of(REATTACH), 'the end of the rehearsal'
        )
        (call,) = self.double.calls.of(DETACH)
        self.wait_for(
            lambda: self.driver(call.devices[0]) != 'vfio-pci',
            "the host's driver",
        )


class LeftWithVfioTest(Rehearsal):
    """A device that was not given back is attached all the same."""

    def setUp(self) -> None:
        super().setUp()
        self.start(1)

    def test_libvirt_does_not_give_it_back(self) -> None:
        self.double.faults.fail(REATTACH, errors.internal('no such device'))

        self.migrate(self.server)

        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertEqual([(DETACH, FIRST), (REATTACH, FIRST)],
                         self.rehearsed())  # fmt: skip

    def test_nova_compute_dies_half_way(self) -> None:
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)
        self.processes.bus.patience = 1.0
        killed = self.processes.kill_at(
            base.DESTINATION, 'libvirt', DETACH, after=True
        )
        self.migrate(self.server, 'error')
        self.assertTrue(killed.is_set())
        self.start_again(base.DESTINATION)
        self.assertEqual('vfio-pci', self.driver(FIRST))
        tracker = self.computes[base.DESTINATION].manager.rt
        # The migration in error names the destination, so only the lease does.
        self.wait_for(
            lambda: not pci_tracker.held(tracker), 'the lease to be over'
        )
        self.whole.check(always.End(base.SOURCE, 'error'))

        self.migrate(self.server)

        self.whole.check(always.End(base.DESTINATION, 'completed'))
        self.assertEqual([FIRST], list(self.whole.devices().values()))


def _of_another(machine: Any) -> str:
    """Return the XML of another domain, with the destination's device.

    :param machine: the server's own
    """
    document = documents.parse(documents.text(machine.persistent))
    for name, text in (
        ('uuid', '1b2c3d4e-0000-4000-8000-000000000001'),
        ('name', 'another'),
    ):
        found = document.find(f'./{name}')
        assert found is not None
        found.text = text
    first, *others = documents.passthrough(document)
    for element in others:
        documents.remove(document, element)
    address = first.find('./source/address')
    assert address is not None
    domain, bus, rest = FIRST.split(':')
    slot, function = rest.split('.')
    for part, value in (
        ('domain', domain), ('bus', bus), ('slot', slot),
        ('function', function),
    ):  # fmt: skip
        address.set(part, f'0x{value}')
    return documents.text(document)
