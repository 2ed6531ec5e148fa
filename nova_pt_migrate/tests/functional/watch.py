# SPDX-License-Identifier: Apache-2.0
"""Notes whatever may end the only guest of a server that migrates.

Two things are held against each other: what the double knows, and Nova does
not, of each host's memory of the guest, and the rule that the destination may
be asked to clear what it has only while the guest is seen to run on the
source, or to be paused by its user, without a job.
"""

from collections.abc import Mapping
from typing import Any

from nova import exception
from nova import objects
from nova.compute import task_states

from nova_pt_migrate.testing import domain as domains
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import states

ENDS = ('destroy', 'undefine', 'shutdown')
CLEARS = 'rollback_live_migration_at_destination'
HANDED_OVER = (
    states.Paused.UNKNOWN,
    states.Paused.MIGRATION,
    states.Paused.POSTCOPY,
    states.Paused.POSTCOPY_FAILED,
)
"""A guest that is paused so may run, or have run, on another host."""


class GuestWatch:
    """Watches calls to libvirt and messages.

    :param context: to read Nova's database with
    :param hosts: the libvirts, by host
    :param deadly: what is noted
    """

    def __init__(
        self,
        context: Any,
        hosts: Mapping[str, hypervisors.Hypervisor],
        deadly: list[str],
    ) -> None:
        self._context = context
        self._hosts = hosts
        self._deadly = deadly

    def call(self, name: str, host: str, machine: machines.Machine) -> None:
        """See a call that is about to have its effect on a domain."""
        if name == 'resume':
            bad = self._may_not_run(machine)
        elif name in ENDS:
            bad = self._may_be_the_last(machine)
        else:
            return
        if bad and self._migrates(machine.uuid):
            self._note(f'{name} on {host}', machine)

    def message(self, message: dict[str, Any]) -> None:
        """See a message that is about to be sent."""
        if message['method'] != CLEARS:
            return
        instance = message['args']['instance']['nova_object.data']
        source = self._hosts[instance['host']]
        machine = source.machines.get(instance['uuid'])
        if machine is None or not self._stays(machine):
            self._note(f'{CLEARS} from {source.name}', machine)

    def _stays(self, machine: machines.Machine) -> bool:
        if not machine.active or machine.migrating:
            return False
        if machine.state == domains.PAUSED:
            return (
                machine.reason not in HANDED_OVER
                and machine.memory is states.Memory.WHOLE
                and not self._is_elsewhere(machine)
            )
        return bool(machine.state == domains.RUNNING)

    def _may_not_run(self, machine: machines.Machine) -> bool:
        return (
            machine.memory is not states.Memory.WHOLE
            or machine.reason in HANDED_OVER
            or self._is_elsewhere(machine)
        )

    def _may_be_the_last(self, machine: machines.Machine) -> bool:
        if machine.memory is states.Memory.PART:
            return True
        if machine.memory is states.Memory.WHOLE:
            return not self._is_elsewhere(machine)
        return not self._others(machine)

    def _is_elsewhere(self, machine: machines.Machine) -> bool:
        """True if another host has all of the guest's memory."""
        return any(
            other.memory is states.Memory.WHOLE
            for other in self._others(machine)
        )

    def _others(self, machine: machines.Machine) -> list[machines.Machine]:
        return [
            found
            for host in self._hosts.values()
            for found in [host.machines.get(machine.uuid)]
            if found is not None and found is not machine
        ]

    def _migrates(self, server: str) -> bool:
        """False for what a user has asked for, a deletion for instance."""
        try:
            instance = objects.Instance.get_by_uuid(
                self._context, server, expected_attrs=[]
            )
        except exception.InstanceNotFound:
            return False
        return bool(instance.task_state == task_states.MIGRATING)

    def _note(self, what: str, machine: machines.Machine | None) -> None:
        self._deadly.append(
            f'{what}: {machine and machine.uuid} is in state '
            f'{machine and (machine.state, machine.reason, machine.job)}, '
            f'with {machine and machine.memory.value}'
        )
