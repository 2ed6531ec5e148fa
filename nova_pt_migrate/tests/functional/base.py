# SPDX-License-Identifier: Apache-2.0
"""Nova's services in this process, two computes, and the libvirt double."""

from collections.abc import Callable
from typing import Any

import fixtures
from nova import utils
from nova.network import neutron as neutron_api
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import test_pci_sriov_servers as nova_sriov
from oslo_serialization import jsonutils

from nova_pt_migrate.compute.startup import failure
from nova_pt_migrate.host import memory
from nova_pt_migrate.testing import connection as connections
from nova_pt_migrate.testing import faults
from nova_pt_migrate.testing import fixture
from nova_pt_migrate.tests.functional import economy
from nova_pt_migrate.tests.functional import lives
from nova_pt_migrate.tests.functional import neutron
from nova_pt_migrate.tests.functional import ports
from nova_pt_migrate.tests.functional import processes
from nova_pt_migrate.tests.functional import stops
from nova_pt_migrate.tests.functional import vfs
from nova_pt_migrate.tests.functional import waiting

OURS = 'pt_migrate.PassthroughLibvirtDriver'
STOCK = 'libvirt.LibvirtDriver'
SOURCE = 'source'
DESTINATION = 'destination'
THIRD = 'third'
HOSTS = (SOURCE, DESTINATION, THIRD)
BUS = 0x81
"""Of the VFs of every host: equal hosts have equal PCI addresses."""
OTHER_BUS = 0x91
"""For tests whose hosts differ."""
VFS = vfs.COUNT
NEVER = 3600.0
"""Seconds after which no test is there to see it."""
PLENTY = 2**20
"""MiB of memory that a host has."""


class NotStarted(Exception):
    """A nova-compute has failed, or died, while it was starting."""


class OwnInstancePaths(fixtures.Fixture):
    """Gives each compute its own instance path, disks being shared.

    Nova then cleans up at the host that the server leaves or does not reach;
    with a shared path it does not.
    """

    def _setUp(self) -> None:
        for name, answer in (
            ('_check_shared_storage_test_file', False),
            ('_is_shared_block_storage', True),
        ):
            self.useFixture(
                fixtures.MockPatch(
                    f'nova.virt.libvirt.driver.LibvirtDriver.{name}',
                    return_value=answer,
                )
            )


class TwoComputes(vfs.Hosts, nova_sriov._PCIServersTestBase):
    """Two computes with VFs and a whole PF each, at the same addresses.

    :cvar DRIVER: what the computes run
    :cvar DRIVERS: what some of them run instead, by host
    :cvar BUSES: where the VFs of some of them are instead, by host
    :ivar ending: called where a nova-compute that fails to start would end
    :ivar memory: available MiB of those that have little, by host
    """

    DRIVER = OURS
    DRIVERS: dict[str, str] = {}
    BUSES: dict[str, int] = {}
    computes: dict[str, Any]
    # The limit of our own tests reads the same variable, and says more.
    TIMEOUT_SCALING_FACTOR = 0
    ADMIN_API = True
    CAST_AS_CALL = False
    microversion = 'latest'
    PCI_ALIAS: list[str] = []
    PCI_DEVICE_SPEC = [
        jsonutils.dumps(
            {
                'vendor_id': fakelibvirt.PCI_VEND_ID,
                'product_id': product,
                'physical_network': 'physnet4',
                'trusted': 'true',
            }
        )
        for product in (fakelibvirt.PF_PROD_ID, fakelibvirt.VF_PROD_ID)
    ]

    def setUp(self) -> None:
        if not utils.concurrency_mode_threading():
            raise RuntimeError(
                'nova-compute runs native threads, and so must these tests: '
                'take OS_NOVA_DISABLE_EVENTLET_PATCHING out of the '
                'environment, or set it to True'
            )
        economy.let_idle_threads_sleep()
        self.useFixture(economy.Economy())
        super().setUp()
        economy.format_our_messages_only()
        self.double = self.useFixture(fixture.LibvirtDouble())
        self.neutron = self.useFixture(neutron.Neutron(self))
        self.ports = ports.Ports(self.neutron)
        self.processes = self.useFixture(
            processes.Processes(neutron_api.get_client)
        )
        self.processes.watch(
            vfs.Kernels, ['set_trust', 'set_mac_and_vlan'], 'kernel'
        )
        self.useFixture(vfs.Kernels(self.double.hypervisors))
        self.memory: dict[str, int] = {}
        self.useFixture(
            fixtures.MockPatchObject(memory, 'available_mib', self._available)
        )
        # It would end this process, whose main thread is no service.
        self.ending = self.useFixture(
            fixtures.MockPatchObject(
                failure, 'end_with_main_thread', autospec=True
            )
        ).mock
        self._clients: dict[str, connections.Connection] = {}
        for host in (SOURCE, DESTINATION):
            self.start_compute(hostname=host, pci_info=self.pci_info(host))
        self.check_hosts_at_the_end()

    def _available(self) -> int:
        life = lives.current()
        return self.memory.get(life.host if life else '', PLENTY)

    def _setup_compute_service(self) -> None:
        self.flags(compute_driver=self.DRIVER)

    def pci_info(self, host: str) -> Any:
        return vfs.pci_info(self.BUSES.get(host, BUS), HOSTS.index(host))

    def start_compute(
        self,
        hostname: str = SOURCE,
        host_info: Any = None,
        pci_info: Any = None,
        mdev_info: Any = None,
        vdpa_info: Any = None,
        libvirt_version: int | None = None,
        qemu_version: int | None = None,
        cell_name: str | None = None,
        connection: connections.Connection | None = None,
    ) -> str:
        """As Nova's; a compute that starts anew is a new libvirt client."""
        if connection is not None:
            connection.kill()
            connection = self._clients[hostname] = connection.again()
        self.flags(compute_driver=self.DRIVERS.get(hostname, self.DRIVER))
        with self.processes.starting(hostname):
            started = super().start_compute(
                hostname, host_info, pci_info, mdev_info, vdpa_info,
                libvirt_version, qemu_version, cell_name, connection,
            )  # fmt: skip
            host = self.computes[hostname].driver._host
            self._clients[hostname] = host.get_connection()
            self.double.subscribe(host)
        return str(started)

    def kill(self, host: str) -> None:
        """Kill a nova-compute; what it was doing has no further effect."""
        self.processes.kill(host)
        self._clients[host].kill()

    def start_again(self, host: str) -> None:
        """Start a nova-compute that was killed; libvirt has gone on.

        :raises NotStarted: it must be started again once more
        """
        self.processes.kill(host)
        self.processes.wait_until_still(host)
        dead = self.computes.pop(host, None)
        if dead:
            # Idle threads take time from the living, each second.
            stops.let_go(dead)
        self.compute_rp_uuids.pop(host, None)
        try:
            self.start_compute(
                host,
                cell_name=self.host_mappings[host].cell_mapping.name,
                connection=self._clients[host],
            )
        except (Exception, faults.Crash) as exc:
            self.processes.kill(host)
            raise NotStarted(f'nova-compute of {host}: {exc}') from exc

    def _run_periodics(self, raise_on_error: bool = False) -> None:
        """As Nova's, where there is a nova-compute to run them.

        One that fails is run again, as after its period; a nova-compute that
        dies of it is just dead.
        """
        everyone = self.computes
        try:
            for host in everyone:
                self.computes = {host: everyone[host]}
                for again in (False, True):
                    try:
                        with self.processes.within(host):
                            super()._run_periodics(raise_on_error)
                        break
                    except faults.Crash:
                        break
                    except Exception:
                        if again:
                            raise
        finally:
            self.computes = everyone

    def unshare_instance_path(self) -> None:
        self.useFixture(OwnInstancePaths())

    def boot(
        self,
        port_ids: list[str],
        volume: str | None = None,
        host: str = SOURCE,
        flavor_id: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return a server with its guest at work; no call is counted yet.

        :param tags: device tags, by port
        """
        tagged = {port: {'tag': tag} for port, tag in (tags or {}).items()}
        body = self._build_server(
            networks=[
                {'port': port, **tagged.get(port, {})} for port in port_ids
            ],
            host=host,
            flavor_id=flavor_id,
            image_uuid='' if volume else None,
        )
        if volume:
            body['block_device_mapping_v2'] = [
                {
                    'boot_index': 0,
                    'uuid': volume,
                    'source_type': 'volume',
                    'destination_type': 'volume',
                }
            ]
        server = self.api.post_server({'server': body})
        server = self._wait_for_state_change(server, 'ACTIVE')
        self.double.calls.clear()
        return dict(server)

    def migrate(
        self,
        server: dict[str, Any],
        expected: str = 'completed',
        meanwhile: Callable[[], None] = lambda: None,
        **how: Any,
    ) -> dict[str, Any]:
        """Live-migrate and wait for the end; return the server as it is.

        :param meanwhile: done once the API has accepted
        :param how: what the API is told, beside or instead of what is usual
        """
        known = len(self.migrations(server))
        self.api.post_server_action(
            server['id'],
            {
                'os-migrateLive': {
                    'host': None,
                    'block_migration': 'auto',
                    **how,
                }
            },
        )
        meanwhile()
        self.wait_for(
            lambda: self.is_ended(server, known, {*waiting.FINAL, expected}),
            'the end of the migration',
        )
        self.assertEqual([expected], self.migrations(server)[known:])
        return dict(self.api.get_server(server['id']))
