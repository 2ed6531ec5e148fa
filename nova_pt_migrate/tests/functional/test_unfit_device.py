# SPDX-License-Identifier: Apache-2.0
"""A device that cannot be plugged where the server arrives."""

from typing import Any

import fixtures
from neutronclient.common import exceptions as neutron_client_exc
from nova import exception

from nova_pt_migrate.compute.server import bringing
from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours

BAD = errors.internal(
    'unable to execute QEMU command \'device_add\': vfio 0000:81:00.7: '
    'group 7 is not viable'
)
NO_ROOT_PORT = errors.internal('No more available PCI slots')
MANY = 99


class UnfitDevice(ours.OurMigrations):
    """Nothing is tried again by itself while a test looks."""

    def setUp(self) -> None:
        super().setUp()
        self.stop_settling()

    def fail(self, times: int, error: Exception = BAD) -> None:
        self.double.faults.fail(
            ours.PLUG, error, host=base.DESTINATION, times=times
        )

    def tried(self) -> list[str]:
        """Return what was tried at the destination, in order."""
        calls = self.double.calls.of(ours.PLUG, host=base.DESTINATION)
        return [call.devices[0] for call in calls]

    def assert_arrives(
        self, ports: list[str], tries: int, degraded: int = 0
    ) -> None:
        server, whole = self.prepare(ports)

        self.migrate(server)

        tried = self.tried()
        self.assertEqual(tries, len(tried))
        self.assertEqual(tries, len(set(tried)), 'one was tried twice')
        lacking = [
            port
            for port, device in whole.devices().items()
            if self.errors_of(device)
        ]
        self.assertEqual(degraded, len(lacking))
        whole.check(
            always.End(base.DESTINATION, 'completed', degraded=tuple(lacking))
        )

    def errors_of(self, device: str) -> list[str | None]:
        calls = self.double.calls.of(
            ours.PLUG, host=base.DESTINATION, device=device
        )
        return [call.error for call in calls if call.error]


class AnotherIsTakenTest(UnfitDevice):
    def test_the_only_one_is_unfit(self) -> None:
        self.fail(1)
        self.assert_arrives(self.ports.direct(), 2)

    def test_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.fail(1)
        self.assert_arrives(self.ports.direct(), 2)

    def test_one_of_three_is_unfit(self) -> None:
        self.fail(1)
        self.assert_arrives(self.ports.direct(3) + self.ports.ordinary(), 4)

    def test_two_of_two_are_unfit(self) -> None:
        self.fail(2)
        self.assert_arrives(self.ports.direct(2), 4)

    def test_a_whole_physical_function(self) -> None:
        self.fail(1)
        self.assert_arrives([self.ports.direct_physical()], 2)

    def test_nova_cannot_prepare_it(self) -> None:
        vif_driver = self.computes[base.DESTINATION].driver.vif_driver
        plug = vif_driver.plug
        prepared: list[str] = []

        def refuse(instance: Any, vif: Any) -> None:
            """Refuse the first, once the guest has come."""
            slot = vif['profile'].get('pci_slot')
            if self.double.calls.of('migrateToURI3') and slot:
                prepared.append(slot)
                if len(prepared) == 1:
                    raise exception.VirtualInterfacePlugException('no VF')
            plug(instance, vif)

        self.useFixture(
            fixtures.MockPatchObject(vif_driver, 'plug', new=refuse)
        )
        self.assert_arrives(self.ports.direct(), 1)
        self.assertEqual(2, len(prepared))

    def test_the_first_others_are_unfit_too(self) -> None:
        self.fail(bringing.OTHERS)
        self.assert_arrives(self.ports.direct(), bringing.OTHERS + 1)

    def test_guest_addresses_stay_behind_a_gap(self) -> None:
        (gap,) = self.ports.ordinary()
        ports = self.ports.direct(2)
        server = self.boot([gap, *ports])
        self._detach_interface(server, gap)
        self.double.calls.clear()
        whole = always.Always(self, server, ports)
        self.fail(1)

        self.migrate(server)

        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_it_can_leave_again(self) -> None:
        self.fail(1)
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        self.migrate(server)
        there = whole.places()
        self.double.calls.clear()

        self.migrate(server)

        whole.check(always.End(base.SOURCE, 'completed'))
        self.assert_one_owner(there, whole.places())


class FromStockTest(UnfitDevice):
    """The persistent XML comes without devices, and without addresses."""

    DRIVERS = {base.SOURCE: base.STOCK}

    def test_the_only_one_is_unfit(self) -> None:
        self.fail(1)
        self.assert_arrives(self.ports.direct(), 2)

    def setUp(self) -> None:
        ours.OurMigrations.setUp(self)
        self.computes[base.DESTINATION].driver._pt.worker.stop()


class NoneIsTakenTest(UnfitDevice):
    """The server arrives without the device, and the others are plugged."""

    def test_the_others_are_unfit_too(self) -> None:
        self.fail(MANY)
        self.assert_arrives(
            self.ports.direct(), bringing.OTHERS + 1, degraded=1
        )

    def test_none_is_free(self) -> None:
        self.boot(self.ports.direct(base.VFS - 2), host=base.DESTINATION)
        self.fail(1)
        self.assert_arrives(self.ports.direct(2), 2, degraded=1)

    def test_there_is_no_other_whole_physical_function(self) -> None:
        self.boot([self.ports.direct_physical()], host=base.DESTINATION)
        self.fail(1)
        self.assert_arrives([self.ports.direct_physical()], 1, degraded=1)

    def test_the_host_is_the_reason(self) -> None:
        self.fail(1, NO_ROOT_PORT)
        self.assert_arrives(self.ports.direct(2), 2, degraded=1)

    def test_neutron_does_not_take_another(self) -> None:
        self.fail(1)
        update = self.neutron.update_port

        def refuse(port_id: str, body: Any = None) -> Any:
            # Nova writes the source's profile before the guest moves.
            if (
                self.double.calls.of('migrateToURI3')
                and 'pci_slot' in str(body)
                and 'binding:host_id' not in body['port']
            ):
                raise neutron_client_exc.Conflict()
            return update(port_id, body)

        self.useFixture(
            fixtures.MockPatchObject(self.neutron, 'update_port', new=refuse)
        )
        self.assert_arrives(self.ports.direct(2), 2, degraded=1)

    def test_the_persistent_xml_cannot_be_changed(self) -> None:
        self.fail(1)
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        self.double.faults.fail(
            'defineXML', errors.internal('disk full'), host=base.DESTINATION
        )

        self.migrate(server)

        (port,) = [
            port
            for port, device in whole.devices().items()
            if self.errors_of(device)
        ]
        self.assertEqual(2, len(self.tried()))
        whole.check(
            always.End(base.DESTINATION, 'completed', degraded=(port,))
        )

    def test_it_is_healed(self) -> None:
        self.boot(self.ports.direct(base.VFS - 2), host=base.DESTINATION)
        self.fail(1)
        server, whole = self.prepare(self.ports.direct(2))
        self.migrate(server)
        late = self.computes[base.DESTINATION].driver._pt.healer

        with self.processes.within(base.DESTINATION):
            late.check_again(self.ctxt)

        self.wait_for(lambda: len(self.tried()) == 3, 'another try')
        whole.check(always.End(base.DESTINATION, 'completed'))
