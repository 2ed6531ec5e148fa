# SPDX-License-Identifier: Apache-2.0
"""What a host whose servers are in order asks of others, by the minute.

Nova's periodic tasks and the chores of ours run by a clock of the test, so
that half an hour takes seconds. Not in it is the heartbeat of nova-compute,
which no driver has a part in.
"""

from collections.abc import Iterator
import contextlib
from typing import Any

import fixtures
from nova import context as nova_context
from nova import objects
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import driver as libvirt_driver
from oslo_service import periodic_task

from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import recorder

KINDS = ('conductor', 'neutron', 'placement', 'libvirt')
"""Whom is asked; the conductor, for the database."""
TICK = 10.0
"""Seconds of the clock between two looks; those of claim_lease_interval."""
PLENTY = 1000.0
Load = dict[tuple[str, str], float]
"""Calls a minute, by whom they ask and for what."""


class Idle(base.TwoComputes):
    """One host of the two has all servers."""

    def setUp(self) -> None:
        super().setUp()
        self.recorder = self.useFixture(recorder.Recorder(self.processes))

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        for name in ('cpu', 'ram', 'disk'):
            self.flags(**{f'{name}_allocation_ratio': PLENTY})
        for name in ('instances', 'cores', 'ram'):
            self.flags(group='quota', **{name: -1})

    def pci_info(self, host: str) -> Any:
        return fakelibvirt.HostPCIDevicesInfo(
            num_pfs=4, num_vfs=112, numa_node=0, bus=base.BUS
        )

    def loads(self, sizes: list[int], minutes: int) -> Iterator[Load]:
        """Yield the load with so many servers, each with a device.

        :param sizes: numbers of servers, from few to many
        """
        there: list[str] = []
        for size in sizes:
            for _ in range(size - len(there)):
                there.append(str(self.boot(self.ports.direct())['id']))
            self.wait_for(lambda: self._are_made(there), 'the boots to end')
            yield self.load(minutes)

    def _are_made(self, servers: list[str]) -> bool:
        """Tell whether nothing is done for them any more.

        A server is active a moment before Nova has done with it.
        """
        return all(
            event.finish_time
            for server in servers
            for action in objects.InstanceActionList.get_by_instance_uuid(
                self.ctxt, server
            )
            for event in objects.InstanceActionEventList.get_by_action(
                self.ctxt, action.id
            )
        )

    def load(self, minutes: int) -> Load:
        """Return the calls a minute of the source as it is now."""
        manager = self.computes[base.SOURCE].manager
        services = getattr(manager.driver, '_pt', None)
        if services is not None:
            services.worker.stop()
        context = nova_context.get_admin_context()
        with self._clock() as clock, self.processes.within(base.SOURCE):
            # What is done at once is no load.
            self._tick(manager, services, context)
            with self.recorder.counting() as asked:
                for _ in range(int(minutes * 60 / TICK)):
                    clock.advance(TICK)
                    self._tick(manager, services, context)
        return {
            (kind, name): count / minutes
            for (host, kind, name), count in asked.items()
            if host == base.SOURCE and kind in KINDS
        }

    @staticmethod
    def total(load: Load, kind: str) -> float:
        """Return the calls a minute of one kind."""
        return sum(count for what, count in load.items() if what[0] == kind)

    def _tick(self, manager: Any, services: Any, context: Any) -> None:
        """Do all that is due, and wait for what it has others do."""
        before = self.processes.at_work(base.SOURCE)
        manager.run_periodic_tasks(context, raise_on_error=True)
        if services is not None:
            for chore in services.worker.chores.values():
                chore(context)
        self.wait_for(
            lambda: self.processes.at_work(base.SOURCE) <= before,
            'the tasks to end',
            look=0.001,
        )

    @contextlib.contextmanager
    def _clock(self) -> Iterator['Clock']:
        """Let periodic tasks run by a clock, each exactly on its time."""
        clock = Clock()
        manager = self.computes[base.SOURCE].manager
        for name in manager._periodic_last_run:
            manager._periodic_last_run[name] = clock()
        with (
            # Nova saves it with the host whenever it is another one.
            fixtures.MockPatchObject(
                libvirt_driver.LibvirtDriver,
                'get_host_uptime',
                lambda _driver: f'up {clock():g} s',
            ),
            fixtures.MockPatchObject(periodic_task, 'now', clock),
            fixtures.MockPatchObject(
                periodic_task,
                '_nearest_boundary',
                lambda _last, _spacing: clock(),
            ),
        ):
            yield clock


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self._now = 1000.0

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


class Stock(Idle):
    DRIVER = base.STOCK


class Ours(Idle):
    DRIVER = base.OURS
