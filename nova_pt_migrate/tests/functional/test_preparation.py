# SPDX-License-Identifier: Apache-2.0
"""The destination is not ready for a server that was about to come."""

from typing import Any

import fixtures
from neutronclient.common import exceptions as neutron_client_exc
from nova import exception
from nova.tests.fixtures import cinder

from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import ours

VOLUME = cinder.CinderFixture.IMAGE_BACKED_VOL


class Unprepared(ours.OurMigrations):
    def plug_fails(self) -> Any:
        """Let the destination plug no port in the context."""
        return fixtures.MockPatchObject(
            self.computes[base.DESTINATION].driver.vif_driver,
            'plug',
            side_effect=exception.VirtualInterfacePlugException('no bridge'),
        )

    def assert_untouched(
        self,
        server: dict[str, Any],
        whole: always.Always,
        status: str,
        volumes: tuple[str, ...] = (),
    ) -> None:
        """Freed already, before a periodic look of Nova comes."""
        tracker = self.computes[base.DESTINATION].manager.rt
        self.wait_for(
            lambda: server['id'] not in pci_tracker.held(tracker),
            'the destination to be freed',
        )
        whole.check(always.End(base.SOURCE, status, volumes=volumes))
        self.assert_one_owner([], [])


class PreparationFailsTest(Unprepared):
    """Plugging the ordinary port fails at the destination."""

    def assert_stays(self, volume: str | None = None) -> None:
        # Only the hook: the lease looks much later.
        ports = [*self.ports.ordinary(), *self.ports.direct(2)]
        server, whole = self.prepare(ports, volume)
        with self.plug_fails():
            self.migrate(server, 'failed')

        self.assert_untouched(
            server, whole, 'failed', volumes=(volume,) if volume else ()
        )
        self.migrate(server)
        whole.check(
            always.End(
                base.DESTINATION,
                'completed',
                volumes=(volume,) if volume else (),
            )
        )

    def setUp(self) -> None:
        super().setUp()
        self.stop_settling()

    def test_from_image(self) -> None:
        self.assert_stays()

    def test_from_image_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_stays()

    def test_from_volume(self) -> None:
        self.assert_stays(VOLUME)

    def test_from_volume_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_stays(VOLUME)


class UndeletedBindingTest(Unprepared):
    """Neutron does not answer the source when it deletes a binding."""

    def test_the_destination_deletes_it(self) -> None:
        ports = [*self.ports.ordinary(), *self.ports.direct(2)]
        server, whole = self.prepare(ports)
        delete = self.neutron.delete_port_binding
        left = list(ports)

        def lose(port_id: str, host: str) -> Any:
            if port_id in left:
                left.remove(port_id)
                raise neutron_client_exc.ConnectionFailed(reason='reset')
            return delete(port_id, host)

        with (
            self.plug_fails(),
            fixtures.MockPatchObject(
                self.neutron, 'delete_port_binding', new=lose
            ),
        ):
            self.migrate(server, 'failed')

        self.wait_for(
            lambda: all(len(self.ports.bindings(port)) == 1 for port in ports),
            'the bindings to be deleted',
        )
        self.assertEqual([], left)
        self.assert_untouched(server, whole, 'failed')


class UnknownBindingsTest(Unprepared):
    """Neutron does not answer a host that has yet to see what it holds."""

    def test_the_host_is_refused(self) -> None:
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        self.stop_settling()
        self.computes[base.DESTINATION].driver._pt.lease.note(server['id'])
        asked: list[str] = []

        def lose(port_id: str, host: str) -> Any:
            asked.append(host)
            raise neutron_client_exc.ConnectionFailed(reason='reset')

        with fixtures.MockPatchObject(
            self.neutron, 'show_port_binding', new=lose
        ):
            self.migrate(server, 'error')

        self.assertEqual([base.DESTINATION], asked)
        self.assert_untouched(server, whole, 'error')
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))


class BindingRefusedTest(Unprepared):
    """Neutron refuses the binding on the destination.

    No hook is called there; the lease frees the devices.
    """

    def assert_stays(self, refused: int) -> None:
        ports = self.ports.direct(2)
        server, whole = self.prepare(ports)
        bind = self.neutron.create_port_binding

        def refuse(port_id: str, body: Any) -> Any:
            if port_id == ports[refused]:
                raise neutron_client_exc.Conflict()
            return bind(port_id, body)

        with fixtures.MockPatchObject(
            self.neutron, 'create_port_binding', new=refuse
        ):
            self.migrate(server, 'error')

        self.assert_untouched(server, whole, 'error')
        self.migrate(server)
        whole.check(always.End(base.DESTINATION, 'completed'))

    def test_of_the_first_port(self) -> None:
        self.assert_stays(0)

    def test_of_the_second_port(self) -> None:
        self.assert_stays(1)

    def test_without_a_shared_instance_path(self) -> None:
        self.unshare_instance_path()
        self.assert_stays(1)
