# SPDX-License-Identifier: Apache-2.0

from collections.abc import Callable
import threading

import fixtures
import testtools

from nova_pt_migrate.core import errors
from nova_pt_migrate.host import blocking
from nova_pt_migrate.host import rehearsal

ONE, TWO = '0000:81:00.1', '0000:81:10.2'
XML = """
<device>
  <name>pci</name>{driver}
  <capability type='pci'>
    <capability type='phys_function'/>{group}
  </capability>
</device>
"""


class LibvirtError(Exception):
    pass


class NodeDevice:
    """A virNodeDevice.

    :ivar errors: raised by the call of that name, once it had its effect
    """

    def __init__(self) -> None:
        self.driver = 'igbvf'
        self.bound = 'vfio-pci'
        self.usual = self.driver
        self.group = "<iommuGroup number='40'/>"
        self.calls: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.detaching: Callable[[], object] = lambda: None

    def XMLDesc(self, flags: int) -> str:
        if 'XMLDesc' in self.errors:
            raise self.errors['XMLDesc']
        driver = self.driver and f'<driver><name>{self.driver}</name></driver>'
        return XML.format(driver=driver, group=self.group)

    def detachFlags(self, driver: None, flags: int) -> None:
        self.calls.append('detach')
        self.detaching()
        self._end('detach', self.bound)

    def reAttach(self) -> None:
        self.calls.append('reattach')
        self._end('reattach', self.usual)

    def _end(self, call: str, driver: str) -> None:
        self.driver = driver
        if call in self.errors:
            raise self.errors[call]


class Rehearsal(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.nodes = {
            'pci_0000_81_00_1': NodeDevice(),
            'pci_0000_81_10_2': NodeDevice(),
        }
        self.one, self.two = self.nodes.values()
        self.obstacles: dict[str, str] = {}

    def run_one(self, *devices: str) -> dict[str, str]:
        return rehearsal.Rehearsal(
            self.look_up, LibvirtError, self.obstacle, 60.0
        ).run(devices or [ONE])

    def look_up(self, name: str) -> NodeDevice:
        if name not in self.nodes:
            raise LibvirtError(f'no node device with matching name {name!r}')
        return self.nodes[name]

    def obstacle(self, device: str) -> str | None:
        return self.obstacles.get(device)


class TestRun(Rehearsal):
    def test_bound_and_given_back(self) -> None:
        self.assertEqual({}, self.run_one(ONE, TWO))
        for node in (self.one, self.two):
            self.assertEqual(['detach', 'reattach'], node.calls)
            self.assertEqual('igbvf', node.driver)

    def test_a_driver_of_a_vendor_will_do(self) -> None:
        self.one.bound = 'mlx5_vfio_pci'
        self.assertEqual({}, self.run_one())

    def test_one_that_no_driver_wants_is_left_so(self) -> None:
        self.one.driver = self.one.usual = ''
        self.assertEqual({}, self.run_one())
        self.assertEqual(['detach', 'reattach'], self.one.calls)

    def test_with_vfio_already(self) -> None:
        self.one.driver = 'vfio-pci'
        self.assertEqual({}, self.run_one())
        self.assertEqual(['detach'], self.one.calls)

    def test_with_vfio_since_a_domain_has_it(self) -> None:
        self.one.driver = 'vfio-pci'
        self.one.errors['detach'] = LibvirtError('in use by driver QEMU')
        (why,) = self.run_one().values()
        self.assertIn('in use by driver QEMU', why)
        self.assertEqual(['detach'], self.one.calls)

    def test_the_host_lacks_it(self) -> None:
        found = self.run_one('0000:99:00.1', TWO)
        self.assertIn('no node device', found.pop('0000:99:00.1'))
        self.assertEqual({}, found)
        self.assertEqual(['detach', 'reattach'], self.two.calls)

    def test_no_iommu_group(self) -> None:
        self.one.group = ''
        self.assertIn('no IOMMU group', self.run_one()[ONE])
        self.assertEqual([], self.one.calls)

    def test_the_host_uses_it(self) -> None:
        self.obstacles[ONE] = 'its netdev eth5 is part of br0 (take it out)'
        self.assertEqual(self.obstacles, self.run_one())
        self.assertEqual([], self.one.calls)

    def test_it_cannot_be_seen_whether_the_host_uses_it(self) -> None:
        def obstacle(device: str) -> str | None:
            raise errors.HostError('looking at it: no access')

        self.obstacle = obstacle  # type: ignore[method-assign]
        self.assertEqual({ONE: 'looking at it: no access'}, self.run_one())
        self.assertEqual([], self.one.calls)

    def test_the_kernel_binds_nothing(self) -> None:
        self.one.bound = ''
        self.assertIn('does not bind it', self.run_one()[ONE])
        self.assertEqual('igbvf', self.one.driver)

    def test_what_comes_unexpectedly_is_not_swallowed(self) -> None:
        self.one.errors['XMLDesc'] = RuntimeError('no connection')
        self.assertRaises(RuntimeError, self.run_one)


class TestLibvirtFails(Rehearsal):
    def test_it_refuses_the_device(self) -> None:
        """One that a domain has; libvirt is not asked to give it back."""

        def refuse() -> None:
            raise LibvirtError('PCI device is in use by driver QEMU')

        self.one.detaching = refuse
        self.assertIn('in use', self.run_one()[ONE])
        self.assertEqual(['detach'], self.one.calls)

    def test_half_way(self) -> None:
        self.one.errors['detach'] = LibvirtError('Failed to add driver')
        self.assertIn('Failed to add', self.run_one()[ONE])
        self.assertEqual('igbvf', self.one.driver)

    def test_when_looked_at_afterwards(self) -> None:
        def lose() -> None:
            self.one.errors['XMLDesc'] = LibvirtError('socket is closed')

        self.one.detaching = lose
        self.assertIn('socket is closed', self.run_one()[ONE])
        self.assertEqual(['detach', 'reattach'], self.one.calls)

    def test_one_that_is_not_given_back_can_be_had(self) -> None:
        self.one.errors['reattach'] = LibvirtError('socket is closed')
        self.assertEqual({}, self.run_one(ONE, TWO))
        self.assertEqual('igbvf', self.two.driver)


class TestTime(Rehearsal):
    def test_a_late_answer_ends_it_and_the_device_is_given_back(self) -> None:
        go_on, asked = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)
        calls: list[blocking.Call] = []

        def detaching() -> None:
            asked.set()
            go_on.wait(60)

        def finished(call: blocking.Call, seconds: float) -> bool:
            calls.append(call)
            return not asked.wait(60)

        self.one.detaching = detaching
        with fixtures.MockPatchObject(blocking.Call, 'finished', finished):
            found = self.run_one(ONE, TWO)

        self.assertEqual([ONE, TWO], sorted(found))
        self.assertIn('has not answered', found[ONE])
        go_on.set()
        self.assertTrue(calls[0].finished(60))
        self.assertEqual(['detach', 'reattach'], self.one.calls)
        self.assertEqual('igbvf', self.one.driver)
        self.assertEqual([], self.two.calls)
