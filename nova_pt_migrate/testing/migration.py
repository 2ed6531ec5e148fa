# SPDX-License-Identifier: Apache-2.0
"""A live migration between two hypervisors of the double."""

from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import settings as double_settings

PERSIST = fakelibvirt.VIR_MIGRATE_PERSIST_DEST
UNDEFINE = fakelibvirt.VIR_MIGRATE_UNDEFINE_SOURCE


class Job:
    """The migration job of a domain, as jobStats shows it."""

    def __init__(
        self,
        machine: machines.Machine,
        settings: double_settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._machine = machine
        self._settings = settings
        self._clock = clock
        self._type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self._aborted = False
        self._finished = False

    def stats(self) -> dict[str, Any]:
        return {'type': self._type}

    def abort(self) -> None:
        """Ask QEMU to cancel; migrate() raises a little later."""
        if not self._machine.migrating:
            raise errors.invalid('no job is active on the domain')
        self._aborted = True
        self._clock.wake()

    def finish(self) -> None:
        """Have the rest of the memory copied at once."""
        self._finished = True
        self._clock.wake()

    def migrate(
        self,
        source: hypervisors.Hypervisor,
        destination: hypervisors.Hypervisor,
        params: dict[str, Any],
        flags: int,
    ) -> None:
        """Move the guest, or raise and leave it as it is.

        :raises libvirtError: as libvirt does for a guest with a VFIO device,
            a live document that does not fit, a guest that is there already,
            an abort
        """
        machine = self._machine
        live = params.get('destination_xml') or documents.text(
            machine.document
        )
        persistent = params.get('persistent_xml') or live
        with machine.modifying():
            self._check(live)
            machine.migrating = True
            self._aborted = self._finished = False
            self._type = fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED
        try:
            self._copy()
            destination.receive(live, persistent if flags & PERSIST else None)
            self._leave(source, flags)
        finally:
            machine.migrating = False

    def _check(self, live: str) -> None:
        machine = self._machine
        if not machine.active:
            raise errors.invalid('domain is not running')
        kept = self._kept(machine.document)
        if kept:
            raise errors.invalid(
                f'cannot migrate domain: {kept[0]}: VFIO migration is not '
                f'supported in kernel'
            )
        here, there = (
            _count(machine.document, 'interface'),
            _count(documents.parse(live), 'interface'),
        )
        if here != there or self._kept(documents.parse(live)):
            raise errors.unsupported(
                f'Target domain net card count {there} does not match source '
                f'{here}'
            )

    def _kept(self, document: documents.Element) -> list[str]:
        """Return the addresses of the devices that cannot migrate."""
        return [
            str(documents.host_address(element))
            for element in documents.passthrough(document)
            if documents.host_address(element)
            not in self._settings.vfio_migratable
        ]

    def _copy(self) -> None:
        interrupted = self._clock.wait(
            lambda: (
                self._aborted or self._finished or not self._machine.active
            ),
            self._settings.copy_seconds,
        )
        if not self._machine.active:
            self._type = fakelibvirt.VIR_DOMAIN_JOB_NONE
            raise errors.invalid('domain is not running')
        if not interrupted or self._finished:
            self._type = fakelibvirt.VIR_DOMAIN_JOB_NONE
            return
        self._type = fakelibvirt.VIR_DOMAIN_JOB_CANCELLED
        self._clock.later(self._settings.cancelled_seconds, self._forget)
        raise errors.aborted()

    def _leave(self, source: hypervisors.Hypervisor, flags: int) -> None:
        self._machine.stop()
        if flags & UNDEFINE:
            source.undefine(self._machine)

    def _forget(self) -> None:
        if not self._machine.migrating:
            self._type = fakelibvirt.VIR_DOMAIN_JOB_NONE


def _count(document: documents.Element, tag: str) -> int:
    return sum(e.tag == tag for e in documents.elements(document))
