# SPDX-License-Identifier: Apache-2.0
"""One attempt to migrate a guest of the double, from begin3 to confirm3."""

import dataclasses

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import reconnect
from nova_pt_migrate.testing import settings as double_settings
from nova_pt_migrate.testing import states

PERSIST = fakelibvirt.VIR_MIGRATE_PERSIST_DEST
UNDEFINE = fakelibvirt.VIR_MIGRATE_UNDEFINE_SOURCE
POST_COPY = fakelibvirt.VIR_MIGRATE_POSTCOPY
RUNNING = fakelibvirt.VIR_DOMAIN_RUNNING
PAUSED = fakelibvirt.VIR_DOMAIN_PAUSED
Phase = states.Phase
Memory = states.Memory


@dataclasses.dataclass(frozen=True, slots=True)
class Documents:
    """Those that a domain has at the destination."""

    live: str
    persistent: str


class Transfer:
    """What libvirtd of the source does while it is told to migrate.

    :param hosts: the source's and the destination's
    :param flags: of migrateToURI3
    :ivar aborted: somebody asked it to end
    :ivar finished: the rest of the memory is copied at once
    :ivar cut: the two QEMUs have no connection any more
    """

    def __init__(
        self,
        machine: machines.Machine,
        hosts: tuple[hypervisors.Hypervisor, hypervisors.Hypervisor],
        arriving: Documents,
        flags: int,
        settings: double_settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self.aborted = self.finished = self.cut = False
        self._machine = machine
        self._source, self._destination = hosts
        self._lives = [host.life for host in hosts]
        self._arriving = arriving
        self._flags = flags
        self._settings = settings
        self._clock = clock
        self._there: machines.Machine | None = None
        self._post_copy = False
        self._answered = False
        # qemuMigrationSrcPerformPeer2Peer3: VIR_MIGRATE_PAUSED, if it is so
        # when the migration begins.
        self._paused = machine.state == PAUSED
        machine.phase = Phase.BEGIN
        machine.job = fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED

    def run(self) -> None:
        """Go through all phases.

        :raises libvirtError: where one fails, or a libvirtd ends
        """
        try:
            self._reach(Phase.BEGIN)
            self._prepare()
            self._perform()
            self._finish()
            self._confirm()
        finally:
            # A libvirtd that starts again finds the job as it was.
            if self._source.life == self._lives[0]:
                self._end_job()

    def switch_over(self) -> None:
        """Let the guest run at the destination with what is there.

        :raises libvirtError: nobody has permitted it
        """
        if not self._flags & POST_COPY:
            raise errors.invalid(
                'switching to post-copy requires migration to be started '
                'with VIR_MIGRATE_POSTCOPY flag'
            )
        self._post_copy = True

    def resume_post_copy(self) -> None:
        """Copy the rest (qemuMigrationProcessUnattended)."""
        self.cut = False
        there = self._arrived()
        there.set_state(RUNNING, states.Running.MIGRATED)
        self._arrive(there)
        self._leave()

    def _prepare(self) -> None:
        self._there = self._destination.prepare(self._arriving.live)
        self._reach(Phase.PREPARE)

    def _perform(self) -> None:
        machine = self._machine
        machine.phase = Phase.PERFORM
        self._reach(Phase.PERFORM)
        self._clock.wait(
            lambda: (
                self.aborted
                or self.finished
                or self._post_copy
                or not machine.active
                or self._is_alone()
            ),
            self._settings.copy_seconds,
        )
        self._check()
        if not machine.active:
            self._drop()
            raise errors.invalid('domain is not running')
        if self.aborted:
            self._cancel()
            raise errors.aborted()
        if machine.state == RUNNING:
            machine.stop_to_move(self._post_copy)
        machine.phase = Phase.PERFORMED
        self._reach(Phase.PERFORMED)

    def _finish(self) -> None:
        there = self._arrived()
        there.phase = Phase.FINISH
        if self._flags & PERSIST:
            there.define(self._arriving.persistent)
        self._reach(Phase.FINISH)
        if not self._paused:
            self._start_cpus(there)
        self._reach(Phase.STARTED)
        if self._post_copy:
            self._copy_rest(there)
        self._arrive(there)
        self._answered = True
        self._reach(Phase.FINISHED)

    def _start_cpus(self, there: machines.Machine) -> None:
        here = self._machine
        there.carriers.take(here.carriers)
        if self._post_copy:
            here.memory = there.memory = Memory.PART
            there.run_migrated(states.Running.POSTCOPY)
        else:
            here.memory, there.memory = Memory.STALE, Memory.WHOLE
            there.run_migrated()

    def _copy_rest(self, there: machines.Machine) -> None:
        self._clock.wait(
            lambda: self.cut or self.finished or self._is_alone(),
            self._settings.post_copy_seconds,
        )
        self._check()
        if self.cut:
            # qemuMigrationSrcPostcopyFailed, qemuMigrationDstPostcopyFailed:
            # the jobs stay, and vCPUs at the destination run until they need
            # what is not there.
            self._machine.set_state(PAUSED, states.Paused.POSTCOPY_FAILED)
            there.set_state(RUNNING, states.Running.POSTCOPY_FAILED)
            raise errors.post_copy_failed()

    def _arrive(self, there: machines.Machine) -> None:
        """See qemuMigrationDstComplete."""
        if there.state == PAUSED:
            there.set_state(PAUSED, states.Paused.USER)
        elif self._post_copy:
            there.set_state(RUNNING, states.Running.MIGRATED)
            self._machine.memory = Memory.STALE
        there.memory = Memory.WHOLE
        there.end_job()

    def _confirm(self) -> None:
        self._machine.phase = Phase.CONFIRM
        self._reach(Phase.CONFIRM)
        self._leave()

    def _leave(self) -> None:
        """See qemuMigrationSrcComplete, qemuMigrationSrcConfirm."""
        self._machine.end_job()
        self._machine.stop(states.Shutoff.MIGRATED)
        if self._flags & UNDEFINE:
            self._source.undefine(self._machine)

    def _cancel(self) -> None:
        """QEMU cancels, the destination kills its guest, ours runs on."""
        self._machine.job = fakelibvirt.VIR_DOMAIN_JOB_CANCELLED
        self._drop()
        self._clock.later(self._settings.cancelled_seconds, self._forget)

    def _forget(self) -> None:
        if not self._machine.migrating:
            self._machine.end_job()

    def _drop(self) -> None:
        """Let the destination kill a guest that has not arrived.

        Where it is told to (qemuMigrationDstFinish with an error), or where
        the source's libvirtd does not answer it any more
        (qemuProcessAutoDestroy).
        """
        there = self._there
        if there is None or not there.migrating:
            return
        there.end_job()
        there.stop(states.Shutoff.DESTROYED)
        if not there.defined:
            self._destination.undefine(there)

    def _arrived(self) -> machines.Machine:
        assert self._there is not None
        return self._there

    def _reach(self, phase: Phase) -> None:
        self._settings.reached(phase)
        self._check()

    def _is_alone(self) -> bool:
        """True if one libvirtd is not the one that began."""
        return [self._source.life, self._destination.life] != self._lives

    def _check(self) -> None:
        """Raise if a libvirtd has ended, when the other one has noticed it.

        What the one that has ended leaves is up to it as it starts again.

        :raises libvirtError: as said
        """
        here, there = self._lives
        if self._source.life != here:
            self._drop()
            raise errors.disconnected()
        if self._destination.life != there and not self._answered:
            self._stay()
            raise errors.peer_lost()

    def _stay(self) -> None:
        """See qemuMigrationSrcConfirmPhase with an error.

        In post-copy there is no way back; else it is resumed if it ran
        before, even where the guest runs at the destination by now.
        """
        if self._post_copy and self._machine.state == PAUSED:
            self._machine.set_state(PAUSED, states.Paused.POSTCOPY_FAILED)
        elif not self._paused:
            reconnect.resume(self._machine, *states.Paused)

    def _end_job(self) -> None:
        """It is shown for a while if it was cancelled, and in post-copy."""
        machine = self._machine
        if machine.reason == states.Paused.POSTCOPY_FAILED:
            return
        machine.phase = None
        if machine.job == fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED:
            machine.end_job()
