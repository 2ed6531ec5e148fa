# SPDX-License-Identifier: Apache-2.0
"""The libvirt double, to be used in any test on Nova's LibvirtFixture.

::

    double = self.useFixture(fixture.LibvirtDouble())
    double.settings.guest = guests.OneByOne(0.5)
    ...
    double.calls.of('detachDeviceAlias', host='src')

Nova's fixture still fakes the rest of the host. What Nova's own fake domain
does not do and this one does: a pass-through device keeps its host address,
the live and the persistent XML are two, guest addresses and aliases are
given and kept, unplugging takes time and ends in an event, what libvirt
refuses is refused, and a migration moves the domain to the other host, phase
by phase, in any of which a libvirtd may end.
Of the lifecycle events only those are sent that tell of a guest's arrival, and
that its CPUs run, or stop so that it can move.
"""

import dataclasses
import functools
import threading
from typing import Any

import fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt import event as virt_event
from nova.virt.libvirt import host as libvirt_host

from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import connection as connections
from nova_pt_migrate.testing import hosts as all_hosts
from nova_pt_migrate.testing import states


class LibvirtDouble(fixtures.Fixture):
    """Several compute hosts' libvirt, and the guests on them.

    :param clock: :class:`clock.RealClock` if not given
    :ivar settings: how guests, libvirt and QEMU behave
    :ivar calls: what libvirt was asked
    :ivar faults: what shall go wrong
    :ivar hypervisors: by host name
    :ivar job: gives the migration job of a machine
    :ivar watches: see :class:`hosts.Hosts`
    """

    def __init__(self, clock: clocks.Clock | None = None) -> None:
        super().__init__()
        self.clock: clocks.Clock = clock or clocks.RealClock()
        self._hosts = all_hosts.Hosts(self.clock)
        self.settings = self._hosts.settings
        self.calls = self._hosts.calls
        self.faults = self._hosts.faults
        self.hypervisors = self._hosts.hypervisors
        self.job = self._hosts.job
        self.watches = self._hosts.watches

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.clock.stop)
        self.addCleanup(self.faults.release)
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.tests.fixtures.libvirt.Connection',
                functools.partial(connections.Connection, hosts=self._hosts),
            )
        )

    def reset(self) -> None:
        """Forget what a test has set and counted; the guests go on."""
        self.faults.clear()
        self.calls.clear()
        new = type(self.settings)()
        for field in dataclasses.fields(new):
            setattr(self.settings, field.name, getattr(new, field.name))

    def connect(
        self, host: str, pci_info: Any = None
    ) -> connections.Connection:
        """Return a new client of the host's libvirt, for tests without Nova.

        :param pci_info: Nova's HostPCIDevicesInfo, needed the first time
        """
        return connections.Connection(
            'qemu:///system',
            hostname=host,
            pci_info=pci_info,
            hosts=self._hosts,
        )

    def restart_libvirtd(
        self, host: str, phase: states.Phase
    ) -> threading.Event:
        """Let a host's libvirtd end and start again, once, in a migration.

        :returns: set when that has happened
        """
        restarted = threading.Event()

        def reached(now: states.Phase) -> None:
            if now is phase and not restarted.is_set():
                self.hypervisors[host].restart_libvirtd()
                restarted.set()

        self.settings.reached = reached
        return restarted

    @staticmethod
    def subscribe(nova_host: Any) -> None:
        """Send events to a compute, the way Nova subscribes to them.

        Nova's fixture replaces the connecting, where that happens
        (nova/virt/libvirt/host.py, Host._get_new_connection).

        :param nova_host: ``compute.driver._host``
        """
        callbacks = {
            fakelibvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE: _lifecycle,
            fakelibvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED: (
                libvirt_host.Host._event_device_removed_callback
            ),
            fakelibvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED: (
                libvirt_host.Host._event_device_removal_failed_callback
            ),
        }
        connection = nova_host.get_connection()
        for event, callback in callbacks.items():
            connection.domainEventRegisterAny(None, event, callback, nova_host)


def _lifecycle(
    connection: Any, domain: Any, event: int, detail: int, nova_host: Any
) -> None:
    """Give a lifecycle event to Nova.

    Of a guest that is stopped to be moved Nova asks for its job first, in
    libvirt's own thread, which the double has not; it finds one that goes on.
    """
    moves = (
        fakelibvirt.VIR_DOMAIN_EVENT_SUSPENDED,
        fakelibvirt.VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED,
    )
    if (event, detail) == moves:
        nova_host._event_handler._queue_event(
            virt_event.LifecycleEvent(
                domain.UUIDString(), virt_event.EVENT_LIFECYCLE_PAUSED
            )
        )
        return
    libvirt_host.Host._event_lifecycle_callback(
        connection, domain, event, detail, nova_host
    )
