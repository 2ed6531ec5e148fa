# SPDX-License-Identifier: Apache-2.0
"""Servers that migrate again and again while calls of ours fail."""

import contextlib
import contextvars
import enum
import os
import threading
import time
from typing import Any

import fixtures
from nova import exception
from nova import objects
from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import states
from nova_pt_migrate.tests.functional import alias_devices
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional import paired
from nova_pt_migrate.tests.functional import waiting
from nova_pt_migrate.tests.functional.sweep import report
from nova_pt_migrate.tests.functional.sweep import servers
from nova_pt_migrate.tests.functional.sweep import steps

HOW_MUCH = os.environ.get('PT_SWEEP', '')
"""``all``: each fault in each case; ``once``: in one case of those that have
it; else a sample is taken."""
SETTLED = ours.OurMigrations.UNPLUG_TIMEOUT + 120.0
"""Seconds until a migration must have ended and the contract must hold.

Where libvirtd ends in an unplug its whole deadline passes first: what asks the
guest is connected with the old one.
"""
LOOK = 0.1
TOO_MANY = 4
"""Servers that may be spoilt before a test gives up."""

Fault = tuple[steps.Step, steps.How]


class Way(enum.Enum):
    """How a migration goes without a fault."""

    MOVES = 'moves'
    POST_COPY = 'moves by post-copy'
    FAILS = 'fails'
    UNPREPARED = 'is not prepared'


MOVING = (Way.MOVES, Way.POST_COPY)


def ways(case: servers.Case) -> list[Way]:
    """Return how servers of a case may migrate.

    QEMU refuses post-copy with a device that VFIO migrates
    (hw/vfio/migration.c, vfio_save_prepare).
    """
    return [w for w in Way if not (case.aliases and w is Way.POST_COPY)]


def preparation_fails() -> contextlib.AbstractContextManager[Any]:
    """Let the destination's preparation fail when all of it has been done."""
    prepare = libvirt_driver.LibvirtDriver.pre_live_migration

    def fail(*args: Any, **kwargs: Any) -> None:
        prepare(*args, **kwargs)
        raise exception.VirtualInterfacePlugException('no bridge')

    patch: contextlib.AbstractContextManager[Any] = fixtures.MockPatchObject(
        libvirt_driver.LibvirtDriver, 'pre_live_migration', new=fail
    )
    return patch


class Sweeping(crashes.Crashes, alias_devices.AliasDevice, paired.Paired):
    """Lets one server migrate, with faults, to the end.

    :ivar one: which
    :ivar way: how its migrations go without a fault
    """

    one: servers.One
    way = Way.MOVES

    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=30, long_rpc_timeout=30)
        self.processes.bus.patience = 1.0
        self.results: list[report.Result] = []
        self._stopping: list[threading.Thread] = []
        self._told_to_stop = False
        self._ends = {
            steps.How.DIES: self.processes.kill,
            steps.How.STOPS: self._stop,
            steps.How.LIBVIRTD: lambda host: self.double.hypervisors[
                host
            ].restart_libvirtd(),
        }

    def _setup_compute_service(self) -> None:
        super()._setup_compute_service()
        self.flags(live_migration_permit_post_copy=True, group='libvirt')

    def _stop(self, host: str) -> None:
        """Tell a nova-compute to stop; what it does now goes on meanwhile.

        One that is about to start just ends.
        """
        self._told_to_stop = True
        if host not in self.computes:
            self.processes.kill(host)
            return
        stop = threading.Thread(target=self.terminate, args=(host,))
        # It is nobody's work, and outlives the thread that is at this call.
        contextvars.Context().run(stop.start)
        self._stopping.append(stop)

    def record(self) -> list[steps.Step]:
        """Migrate without a fault and return what was called."""
        source, destination = self.one.hosts(self)
        recorded = steps.Steps(_roles(source, destination))
        end = self._inflict(
            steps.Faults(recorded, (), self._ends),
            source,
            destination,
        )
        moves = self.way in MOVING
        self.assertEqual('completed' if moves else 'failed', end[1])
        return list(recorded.all)

    def attempt(self, todo: list[Fault], note: str = '') -> None:
        """Migrate while calls fail, and note what came of it.

        A server that a fault has spoilt is followed by a new one.

        :param note: to tell this migration from others
        """
        source, destination = self.one.hosts(self)
        faults = steps.Faults(
            steps.Steps(_roles(source, destination)),
            todo,
            self._ends,
        )
        end, problem = ('', ''), ''
        try:
            end = self._inflict(faults, source, destination)
        except self.failureException as exc:
            problem = str(exc)
        self.results.append(
            report.Result(
                case=', '.join(
                    filter(None, (str(self.one.case), self.way.value, note))
                ),
                faults=tuple(f'{step} {how.name}' for step, how in todo),
                met=len(faults.met) == len(todo),
                end=', '.join(end),
                problem=problem,
            )
        )
        log = self.stdlog.logger._output
        log.seek(0)
        report.write(self.id(), self.results[-1], log.read())
        # subunit takes 4 MiB of it.
        log.seek(0)
        log.truncate(0)
        if not problem:
            return
        if len(self.problems()) >= TOO_MANY:
            self.fail('\n'.join(self.problems()))
        self.deadly.clear()
        self.one.replace(self)

    def problems(self) -> list[str]:
        return [
            f'{result.case}: {", ".join(result.faults)}: {result.problem}'
            for result in self.results
            if result.problem
        ]

    def _inflict(
        self, faults: steps.Faults, source: str, destination: str
    ) -> tuple[str, str]:
        self._told_to_stop = False
        self.processes.meet = faults
        self.double.settings.reached = faults.reached
        by_post_copy = self.way is Way.POST_COPY
        self.double.settings.copy_seconds = base.NEVER if by_post_copy else 0.0
        unprepared = self.way is Way.UNPREPARED
        try:
            with (
                preparation_fails() if unprepared else contextlib.nullcontext()
            ):
                self._go()
            return self._judge(source, destination)
        finally:
            self.processes.meet = lambda point, after: None
            self.double.settings.reached = lambda phase: None
            # The last look may have met the fault: nobody would delete then.
            self._revive()

    def _go(self) -> None:
        """Migrate to the end; whatever dies is started again."""
        self.double.calls.clear()
        if self.way is Way.FAILS:
            self.double.faults.fail(
                'migrateToURI3', errors.internal('connection reset by peer')
            )
        server = self.one.server
        known = len(self.migrations(server))
        self.begin(server)
        deadline = time.monotonic() + SETTLED
        while not self.is_ended(server, known):
            self._revive()
            if self.way is Way.POST_COPY:
                self._switch_over(server)
            if time.monotonic() > deadline:
                self.fail(
                    f'not settled: {self.migrations(server)}, '
                    f'{self.api.get_server(server["id"])}'
                )
            time.sleep(LOOK)
        self._revive()
        self.double.faults.forget('migrateToURI3')

    def _switch_over(self, server: dict[str, Any]) -> None:
        """Have Nova begin the post-copy, once memory is copied."""
        if not any(
            machine.phase is states.Phase.PERFORM and not machine.incoming
            for hypervisor in self.double.hypervisors.values()
            if (machine := hypervisor.machines.get(server['id'])) is not None
        ):
            return
        last = max(
            migration.id
            for migration in objects.MigrationList.get_by_filters(
                self.ctxt, {'instance_uuid': server['id']}
            )
        )
        self.api.api_post(
            f'/servers/{server["id"]}/migrations/{last}/action',
            {'force_complete': None},
            # It may have ended, or switched over, in this moment.
            check_response_status=[202, 400, 404, 409],
        )

    def _judge(self, source: str, destination: str) -> tuple[str, str]:
        """Check the contract, as soon as it holds or when it must.

        :raises AssertionError: it does not hold
        """
        deadline = time.monotonic() + SETTLED
        while True:
            try:
                here, status = self.one.check(self)
                self._check_end(here, status, source, destination)
                return here, status
            except self.failureException:
                if time.monotonic() > deadline:
                    raise
            self._revive()
            time.sleep(LOOK)

    def _check_end(
        self, here: str, status: str, source: str, destination: str
    ) -> None:
        ends = [(destination, 'completed'), (source, 'failed')]
        if not self.double.calls.of(ours.OUR_UNPLUG):
            # It was refused.
            ends.append((source, 'error'))
        if self._told_to_stop:
            ends.append((source, 'cancelled'))
        self.assertIn((here, status), ends)
        self.assertEqual([], self.deadly)

    def _revive(self) -> None:
        while self._stopping:
            self._stopping.pop().join(waiting.PATIENCE)
        for host in list(self.computes):
            while not self.processes.is_alive(host):
                try:
                    self.start_again(host)
                except base.NotStarted:
                    continue


def _roles(source: str, destination: str) -> dict[str, str]:
    return {source: 'source', destination: 'destination'}
