# SPDX-License-Identifier: Apache-2.0
"""What a test may set on the double, at any time."""

from collections.abc import Callable
import dataclasses

from nova_pt_migrate.testing import guests
from nova_pt_migrate.testing import states


def _pass(phase: states.Phase) -> None:
    """Nothing ends."""


@dataclasses.dataclass
class Settings:
    """How guests, libvirt and QEMU behave.

    :ivar guest: how every guest answers a request to release a device
    :ivar ports: PCIe root ports of a domain; a device that is plugged
        without a guest address takes a free one
    :ivar detach_wait: how long detachDeviceFlags blocks at most before it
        answers "success"; 5 s in libvirt
    :ivar unplug_guard: how long after a request QEMU refuses another one for
        the device; 0 with ACPI hot-plug since QEMU 8.0, 5 with PCIe native
    :ivar plug_seconds: how long an attach to the live domain takes
    :ivar copy_seconds: how long a migration copies memory
    :ivar post_copy_seconds: how long the rest takes after the switch-over
    :ivar reached: called with each phase that a migration reaches, in the
        thread of the call to migrate; may let a libvirtd end
    :ivar cancelled_seconds: how long a job that was aborted still shows as
        cancelled
    :ivar vfio_migratable: host PCI addresses of devices, on both hosts, that
        VFIO can migrate; a guest that has another one cannot move
    :ivar unbindable: hosts and PCI addresses of devices that the kernel does
        not bind to VFIO, though libvirt asks it to
    """

    guest: guests.Guest = dataclasses.field(default_factory=guests.Together)
    ports: int = 28
    detach_wait: float = 5.0
    unplug_guard: float = 0.0
    plug_seconds: float = 0.0
    copy_seconds: float = 0.0
    post_copy_seconds: float = 0.0
    reached: Callable[[states.Phase], None] = _pass
    cancelled_seconds: float = 2.0
    vfio_migratable: frozenset[str] = frozenset()
    unbindable: frozenset[tuple[str, str]] = frozenset()
