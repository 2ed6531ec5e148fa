# SPDX-License-Identifier: Apache-2.0
"""One server that migrates again and again while calls of ours fail."""

import dataclasses
import time

from nova import objects

from nova_pt_migrate.testing import errors
from nova_pt_migrate.tests.functional import always
from nova_pt_migrate.tests.functional import base
from nova_pt_migrate.tests.functional import crashes
from nova_pt_migrate.tests.functional import ours
from nova_pt_migrate.tests.functional.sweep import report
from nova_pt_migrate.tests.functional.sweep import steps

SETTLED = 90.0
"""Seconds until a migration must have ended and the contract must hold."""
LOOK = 0.2
TOO_MANY = 4
"""Servers that may be spoilt before a test gives up."""


Fault = tuple[steps.Step, steps.How]


@dataclasses.dataclass(frozen=True)
class Case:
    """What migrates, and how.

    :ivar devices: how many VFs the server has
    :ivar volume: it boots from a volume
    :ivar shared: the hosts share the instance path
    :ivar breaks: libvirt's migration fails, so that the server comes home
    """

    devices: int = 1
    volume: bool = False
    shared: bool = True
    breaks: bool = False

    def __str__(self) -> str:
        return (
            f'{self.devices} {"device" if self.devices == 1 else "devices"}, '
            f'{"volume" if self.volume else "image"}, '
            f'{"shared" if self.shared else "own"} path, '
            f'{"fails" if self.breaks else "moves"}'
        )


class Sweeping(crashes.Crashes):
    """Has one server, boots another one only where a fault has spoilt it."""

    def setUp(self) -> None:
        super().setUp()
        self.flags(rpc_response_timeout=5, long_rpc_timeout=5)
        self.processes.bus.patience = 1.0

        self.results: list[report.Result] = []
        self.addCleanup(lambda: report.write(self.id(), self.results))

    def begin_case(self, case: Case) -> None:
        self.case = case
        if not case.shared:
            self.unshare_instance_path()
        self.volumes = (self.cinder.IMAGE_BACKED_VOL,) if case.volume else ()
        self.boot_one()

    def boot_one(self) -> None:
        self.server, self.whole = self.prepare(
            self.ports.direct(self.case.devices), *self.volumes
        )

    def attempt(self, todo: list[Fault]) -> None:
        """Inflict faults, and note what came of it.

        A server that a fault has spoilt is followed by a new one.
        """
        source, destination = self.hosts()
        faults = steps.Faults(
            steps.Steps(_roles(source, destination)),
            todo,
            self.processes.kill,
        )
        end = problem = ''
        try:
            self.inflict(faults, source, destination)
            end = f'{self.hosts()[0]}, {self.migrations(self.server)[-1]}'
        except self.failureException as exc:
            problem = str(exc)
        self.results.append(
            report.Result(
                case=str(self.case),
                faults=tuple(f'{step} {how.name}' for step, how in todo),
                met=len(faults.met) == len(todo),
                end=end,
                problem=problem,
            )
        )
        if problem:
            if len(self.problems()) >= TOO_MANY:
                self.fail('\n'.join(self.problems()))
            self.deadly.clear()
            self.api.delete_server(self.server['id'])
            self._wait_until_deleted(self.server)
            self.boot_one()

    def problems(self) -> list[str]:
        return [
            f'{result.case}: {", ".join(result.faults)}: {result.problem}'
            for result in self.results
            if result.problem
        ]

    def record(self) -> list[steps.Step]:
        """Migrate without a fault and return what was called."""
        source, destination = self.hosts()
        recorded = steps.Steps(_roles(source, destination))
        self.processes.meet = steps.Faults(recorded, (), self.processes.kill)
        self.go()
        self.judge(source, destination)
        self.processes.meet = lambda point, after: None
        self.assertEqual(
            'failed' if self.case.breaks else 'completed',
            self.migrations(self.server)[-1],
        )
        return list(recorded.all)

    def inflict(
        self, faults: steps.Faults, source: str, destination: str
    ) -> None:
        """Migrate while calls fail, and check the whole contract."""
        self.processes.meet = faults
        try:
            self.go()
            self.judge(source, destination)
        finally:
            self.processes.meet = lambda point, after: None

    def hosts(self) -> tuple[str, str]:
        """Return where the server is, and where it would go."""
        here = self.api.get_server(self.server['id'])[always.HOST]
        there = {base.SOURCE: base.DESTINATION, base.DESTINATION: base.SOURCE}
        return here, there[here]

    def go(self) -> None:
        """Migrate to the end; whatever dies is started again."""
        self.double.calls.clear()
        if self.case.breaks:
            self.double.faults.fail(
                'migrateToURI3', errors.internal('connection reset by peer')
            )
        known = len(self.migrations(self.server))
        self.begin(self.server)
        deadline = time.monotonic() + SETTLED
        while not self._ended(known):
            self._revive()
            if time.monotonic() > deadline:
                self.fail(
                    f'not settled: {self.migrations(self.server)}, '
                    f'{self.api.get_server(self.server["id"])}'
                )
            time.sleep(LOOK)
        self._revive()

    def judge(self, source: str, destination: str) -> None:
        """Check the contract, as soon as it holds or when it must.

        :raises AssertionError: it does not hold
        """
        deadline = time.monotonic() + SETTLED
        while True:
            try:
                self._judge(source, destination)
                return
            except self.failureException:
                if time.monotonic() > deadline:
                    raise
            self._revive()
            time.sleep(LOOK)

    def _judge(self, source: str, destination: str) -> None:
        here, _ = self.hosts()
        status = self.migrations(self.server)[-1]
        ends = [('completed', destination), ('failed', source)]
        if not self.double.calls.of(ours.OUR_UNPLUG):
            # It was refused.
            ends.append(('error', source))
        self.assertIn((status, here), ends)
        self.whole.check(always.End(here, status, volumes=self.volumes))
        self.assertEqual([], self.deadly)

    def _ended(self, known: int) -> bool:
        """Ask the database, which is much cheaper than the API."""
        migrations = objects.MigrationList.get_by_filters(
            self.ctxt, {'instance_uuid': self.server['id']}
        )
        return (
            len(migrations) > known
            and all(each.status in base.ENDED for each in migrations)
            and objects.Instance.get_by_uuid(
                self.ctxt, self.server['id']
            ).task_state
            is None
        )

    def _revive(self) -> None:
        for host in list(self.computes):
            while not self.processes.is_alive(host):
                try:
                    self.start_again(host)
                except base.NotStarted:
                    continue


def _roles(source: str, destination: str) -> dict[str, str]:
    return {source: 'source', destination: 'destination'}
