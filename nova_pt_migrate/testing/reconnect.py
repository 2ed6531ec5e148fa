# SPDX-License-Identifier: Apache-2.0
"""What libvirtd does with the migrations that it finds when it starts.

The table is that of libvirt's src/qemu/qemu_process.c. A guest that leaves
(qemuProcessRecoverMigrationOut):

=================  =========================================================
begin3             nothing has happened; the job is forgotten
perform3           the migration is cancelled, and the guest resumed where it
                   was paused by it
perform3_done      the job is forgotten and the guest stays paused, as nobody
                   can tell whether it runs at the destination; in post-copy
                   the job stays
confirm3           the guest has left, and is killed; it stays defined
=================  =========================================================

A guest that comes (qemuProcessRecoverMigrationIn):

=================  =========================================================
prepare            it is killed
finish3            it is kept if its CPUs run, and killed if not
=================  =========================================================
"""

from collections.abc import Callable
from collections.abc import Mapping

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import states

Phase = states.Phase
RUNNING = fakelibvirt.VIR_DOMAIN_RUNNING
PAUSED = fakelibvirt.VIR_DOMAIN_PAUSED


def recover(machine: machines.Machine) -> None:
    """End the job of a domain as a libvirtd that has just started does."""
    if machine.phase is None:
        return
    table = _IN if machine.incoming else _OUT
    table[machine.phase](machine)


def _forget(machine: machines.Machine) -> None:
    machine.end_job()


def _cancel(machine: machines.Machine) -> None:
    machine.end_job()
    resume(machine, states.Paused.MIGRATION, states.Paused.UNKNOWN)


def _leave_paused(machine: machines.Machine) -> None:
    """In post-copy the job stays, for somebody who has it go on."""
    if machine.reason in (
        states.Paused.POSTCOPY, states.Paused.POSTCOPY_FAILED,
    ):  # fmt: skip
        machine.set_state(PAUSED, states.Paused.POSTCOPY_FAILED)
    else:
        machine.end_job()


def _kill(machine: machines.Machine) -> None:
    machine.end_job()
    machine.stop(states.Shutoff.UNKNOWN)


def _keep_running(machine: machines.Machine) -> None:
    if machine.reason in (
        states.Running.POSTCOPY, states.Running.POSTCOPY_FAILED,
    ):  # fmt: skip
        return
    if machine.state == RUNNING:
        machine.end_job()
    else:
        _kill(machine)


def resume(machine: machines.Machine, *reasons: states.Paused) -> None:
    """Let a guest run on that a migration has paused and that stays.

    As qemuMigrationSrcRestoreDomainState, too, where the migration failed.
    """
    if machine.state == PAUSED and machine.reason in reasons:
        machine.memory = states.Memory.WHOLE
        machine.set_state(RUNNING, states.Running.MIGRATION_CANCELED)
        machine.resumed()


_Table = Mapping[Phase, Callable[[machines.Machine], None]]
_OUT: _Table = {
    Phase.BEGIN: _forget,
    Phase.PERFORM: _cancel,
    Phase.PERFORMED: _leave_paused,
    Phase.CONFIRM: _kill,
}
_IN: _Table = {
    Phase.PREPARE: _kill,
    Phase.FINISH: _keep_running,
}
