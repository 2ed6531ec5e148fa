# SPDX-License-Identifier: Apache-2.0
"""The compute hosts of a double: what all clients of their libvirts share."""

from collections.abc import Callable
from typing import Any
import weakref

from nova_pt_migrate.testing import calls
from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import faults
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import migration
from nova_pt_migrate.testing import settings as double_settings


class Hosts:
    """All of them, with one clock.

    :ivar settings: how guests, libvirt and QEMU behave
    :ivar calls: what libvirt was asked
    :ivar faults: what shall go wrong
    :ivar hypervisors: by host name
    :ivar watches: each is called with the name of a call of virDomain, the
        host and the machine, before the call has its effect
    """

    def __init__(self, clock: clocks.Clock) -> None:
        self.clock = clock
        self.settings = double_settings.Settings()
        self.calls = calls.Calls()
        self.faults = faults.Faults()
        self.hypervisors: dict[str, hypervisors.Hypervisor] = {}
        self.watches: list[Callable[[str, str, machines.Machine], None]] = []
        self._jobs: weakref.WeakKeyDictionary[
            machines.Machine, migration.Job
        ] = weakref.WeakKeyDictionary()

    def hypervisor(
        self, host: str, devices: dict[str, Any]
    ) -> hypervisors.Hypervisor:
        """Return the host's libvirt; made when first asked for."""
        if host not in self.hypervisors:
            self.hypervisors[host] = hypervisors.Hypervisor(
                host, self.settings, self.clock, devices
            )
        return self.hypervisors[host]

    def job(self, machine: machines.Machine) -> migration.Job:
        """Return the migration job of a domain on one host."""
        return self._jobs.setdefault(
            machine, migration.Job(machine, self.settings, self.clock)
        )
