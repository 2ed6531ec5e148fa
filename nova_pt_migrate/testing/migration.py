# SPDX-License-Identifier: Apache-2.0
"""A live migration between two hypervisors of the double, phase by phase.

As libvirtd of the source drives it with VIR_MIGRATE_PEER2PEER (libvirt's
src/qemu/qemu_migration.c, qemuMigrationSrcPerformPeer2Peer3): QEMU is started
at the destination, the memory is copied, the source is paused and not ended
before the destination has said that the guest runs there. With post-copy the
guest runs there before all of its memory is (qemuMigrationDstFinishFresh).
"""

from typing import Any

from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import hypervisor as hypervisors
from nova_pt_migrate.testing import machine as machines
from nova_pt_migrate.testing import settings as double_settings
from nova_pt_migrate.testing import states
from nova_pt_migrate.testing import transfer as transfers


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
        self._transfer: transfers.Transfer | None = None

    def stats(self) -> dict[str, Any]:
        """See virDomainGetJobStats.

        :raises libvirtError: the domain is not active, or is coming
            (qemuDomainGetJobStatsInternal)
        """
        if not self._machine.active:
            raise errors.invalid('domain is not running')
        if self._machine.incoming:
            raise errors.incoming()
        return {'type': self._machine.job}

    def abort(self) -> None:
        """Ask QEMU to cancel; migrate() raises a little later.

        :raises libvirtError: there is no job, or no way back from post-copy
            (qemuDomainAbortJobMigration)
        """
        if not self._machine.migrating or self._transfer is None:
            raise errors.invalid('no job is active on the domain')
        if self._machine.reason in (
            states.Paused.POSTCOPY, states.Paused.POSTCOPY_FAILED,
        ):  # fmt: skip
            raise errors.invalid('cannot abort migration in post-copy mode')
        self._transfer.aborted = True
        self._clock.wake()

    def finish(self) -> None:
        """Have the rest of the memory copied at once."""
        self._moving().finished = True
        self._clock.wake()

    def start_post_copy(self) -> None:
        """Switch over now, and copy the rest afterwards.

        :raises libvirtError: that was not permitted
        """
        if not self._machine.migrating or self._transfer is None:
            raise errors.invalid(
                'post-copy can only be started while outgoing migration is '
                'in progress'
            )
        self._transfer.switch_over()
        self._clock.wake()

    def cut(self) -> None:
        """The connection of the two QEMUs breaks."""
        self._moving().cut = True
        self._clock.wake()

    def resume_post_copy(self) -> None:
        """Connect them again, and copy the rest.

        As an operator does with ``virsh migrate --postcopy-resume``.
        """
        self._moving().resume_post_copy()

    def migrate(
        self,
        source: hypervisors.Hypervisor,
        destination: hypervisors.Hypervisor,
        params: dict[str, Any],
        flags: int,
    ) -> None:
        """Move the guest, or raise and leave it as libvirt does.

        :raises libvirtError: as libvirt does for a guest with a VFIO device,
            a live document that does not fit, a guest that is there already,
            an abort, a libvirtd that ends
        """
        machine = self._machine
        live = params.get('destination_xml') or documents.text(
            machine.document
        )
        with machine.modifying():
            self._check(live)
            self._transfer = transfers.Transfer(
                machine,
                (source, destination),
                transfers.Documents(
                    live, params.get('persistent_xml') or live
                ),
                flags,
                self._settings,
                self._clock,
            )
        self._transfer.run()

    def _moving(self) -> transfers.Transfer:
        if self._transfer is None:
            raise errors.invalid('no job is active on the domain')
        return self._transfer

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


def _count(document: documents.Element, tag: str) -> int:
    return sum(e.tag == tag for e in documents.elements(document))
