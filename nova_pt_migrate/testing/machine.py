# SPDX-License-Identifier: Apache-2.0
"""A domain as one host's libvirt keeps it: two documents and a state."""

import collections
from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import threading
from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt

from nova_pt_migrate.testing import carriers
from nova_pt_migrate.testing import clock as clocks
from nova_pt_migrate.testing import documents
from nova_pt_migrate.testing import errors
from nova_pt_migrate.testing import events
from nova_pt_migrate.testing import guests
from nova_pt_migrate.testing import settings as double_settings
from nova_pt_migrate.testing import states

ACTIVE = (fakelibvirt.VIR_DOMAIN_RUNNING, fakelibvirt.VIR_DOMAIN_PAUSED)
Emit = Callable[['Machine', int, tuple[Any, ...]], None]
"""Given libvirt's number of the event, and what it tells beside the domain."""


class Machine:
    """One domain on one host; what every connection to it sees.

    :ivar live: the document of the running guest, or None
    :ivar persistent: the document of the next start, None if transient
    :ivar number: libvirt's ID of the running guest
    :ivar saved: the live document of a guest that was saved, or None
    :ivar defined: libvirt still knows the domain
    :ivar carriers: what it sees of its NICs' links
    :ivar sent: frames that the guest has sent, by the NIC's netdev
    :ivar state: libvirt's number of it
    :ivar reason: libvirt's number of it, which depends on the state
    :ivar memory: what its process has of the guest
    :ivar phase: of the migration whose job changes it; nothing else may
    :ivar incoming: that migration comes here
    :ivar job: libvirt's type of its job
    """

    def __init__(
        self,
        xml: str,
        settings: double_settings.Settings,
        clock: clocks.Clock,
        emit: Emit,
    ) -> None:
        self.lock = threading.RLock()
        self.live: documents.Element | None = None
        self.persistent: documents.Element | None = None
        self.saved: documents.Element | None = None
        self.sent: collections.Counter[str] = collections.Counter()
        self.carriers = carriers.Carriers()
        self.number = 0
        self.state: int = fakelibvirt.VIR_DOMAIN_SHUTOFF
        self.reason: int = states.Shutoff.UNKNOWN
        self.memory = states.Memory.STALE
        self.phase: states.Phase | None = None
        self.incoming = False
        self.job: int = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self.defined = True
        self.define(xml)
        self.name = self._text('name')
        self.uuid = self._text('uuid')
        self._settings = settings
        self._clock = clock
        self._emit = emit
        self._modifying = threading.Lock()
        self._requests: dict[str, guests.Request] = {}
        self._held: list[str] = []

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def migrating(self) -> bool:
        return self.phase is not None

    @property
    def document(self) -> documents.Element:
        """What XMLDesc shows without flags."""
        found = self.live if self.live is not None else self.persistent
        if found is None:
            raise errors.no_domain(self.uuid)
        return found

    def define(self, xml: str) -> None:
        """Replace the persistent document; the guest does not notice."""
        document = documents.without_aliases(documents.parse(xml))
        documents.assign_addresses(document)
        self.persistent = document

    def start(
        self,
        document: documents.Element,
        reason: int = states.Running.BOOTED,
    ) -> None:
        """Run a guest of this document."""
        with self.lock:
            self._load(document)
            if reason != states.Running.RESTORED:
                self.carriers.boot(document)
            self.state = fakelibvirt.VIR_DOMAIN_RUNNING
            self.reason = reason
            self.memory = states.Memory.WHOLE

    def wait_for_memory(self, document: documents.Element) -> None:
        """Start QEMU for a guest that migrates here, and say so.

        Its CPUs are stopped, and the job has begun
        (qemuMigrationDstPrepareAny, qemuProcessStart).
        """
        with self.lock:
            self._load(document)
            self.phase, self.incoming = states.Phase.PREPARE, True
            self.job = fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED
            self.state = fakelibvirt.VIR_DOMAIN_PAUSED
            self.reason = states.Paused.MIGRATION
        self._emit(
            self, events.LIFECYCLE, (events.STARTED, events.BY_MIGRATION)
        )

    def run_migrated(self, reason: int = states.Running.MIGRATED) -> None:
        """Let the CPUs of a guest run that has migrated here, and say so."""
        self.set_state(fakelibvirt.VIR_DOMAIN_RUNNING, reason)
        self._emit(
            self, events.LIFECYCLE, (events.RESUMED, events.BY_MIGRATION)
        )

    def stop_to_move(self, post_copy: bool) -> None:
        """Stop the CPUs of a guest that leaves (qemuProcessHandleStop)."""
        reasons = states.Paused
        self.set_state(
            fakelibvirt.VIR_DOMAIN_PAUSED,
            reasons.POSTCOPY if post_copy else reasons.MIGRATION,
        )
        detail = events.BY_POST_COPY if post_copy else events.BY_MIGRATION
        self._emit(self, events.LIFECYCLE, (events.SUSPENDED, detail))

    def end_job(self) -> None:
        """Nothing changes it any more."""
        self.phase = None
        self.incoming = False
        self.job = fakelibvirt.VIR_DOMAIN_JOB_NONE

    def _load(self, document: documents.Element) -> None:
        self.live = documents.without_aliases(document)
        documents.assign_addresses(self.live)
        for element in documents.elements(self.live):
            documents.assign_alias(self.live, element)
        self.number += 1

    def resumed(self) -> None:
        """Say that the CPUs run, as libvirt does whenever they did not.

        At a boot as well: until then the domain is paused
        (src/qemu/qemu_process.c, qemuProcessHandleResume).
        """
        self._emit(self, events.LIFECYCLE, (events.RESUMED, events.UNPAUSED))

    def save(self) -> None:
        """Stop the guest; its next start goes on where it was."""
        with self.lock:
            self.saved = self.live
            self.stop(states.Shutoff.SAVED)

    def stop(self, reason: int = states.Shutoff.SHUTDOWN) -> None:
        """The guest is gone, and every request to it."""
        with self.lock:
            self.live = None
            self.state = fakelibvirt.VIR_DOMAIN_SHUTOFF
            self.reason = reason
            self.memory = states.Memory.STALE
            self._requests.clear()
            self._held.clear()
            if self.persistent is None:
                self.defined = False
        self._clock.wake()

    def set_state(self, state: int, reason: int) -> None:
        """Pause or resume; what was asked of a paused guest comes then."""
        with self.lock:
            self.state, self.reason = state, reason
            if state != fakelibvirt.VIR_DOMAIN_RUNNING:
                return
            held, self._held = self._held, []
            for alias in held:
                self._ask(alias)

    @contextlib.contextmanager
    def modifying(self) -> Iterator[None]:
        """Hold libvirt's job lock; a migration holds it all the time."""
        if self.migrating:
            raise errors.locked('remoteDispatchDomainMigratePerform3Params')
        with self._modifying:
            yield

    def request_unplug(self, alias: str) -> None:
        """Ask the guest to release a device of the live document.

        :raises libvirtError: there is none of that name, or it was asked for
            less than ``unplug_guard`` seconds ago
        """
        with self.lock:
            if self.live is None:
                raise errors.invalid('domain is not running')
            if documents.find_alias(self.live, alias) is None:
                raise errors.internal(f'no device found with alias {alias}')
            request = self._requests.get(alias)
            now = self._clock.now()
            if request and now - request.at < self._settings.unplug_guard:
                raise errors.unplug_pending(alias)
            if request is None:
                request = self._requests[alias] = guests.Request(now)
            request.at = now
            if self.state == fakelibvirt.VIR_DOMAIN_PAUSED:
                self._held.append(alias)
            elif not request.answered:
                self._ask(alias)

    def eject(self, alias: str) -> None:
        """The guest releases a device that it was not asked for.

        As Linux does when ``power`` of its slot is written; QEMU takes it
        out and says so likewise (hw/acpi/pcihp.c, acpi_pcihp_eject_slot).
        """
        with self.lock:
            self._requests.pop(alias, None)
            self._remove(alias)
        self._emit(self, events.REMOVED, (alias,))

    def counters(self, target: str) -> list[int]:
        """Return what libvirt counts of a NIC, in the guest's direction.

        :raises libvirtError: the guest has none with that netdev
        """
        with self.lock:
            if self.live is None:
                raise errors.invalid('domain is not running')
            if target not in documents.targets(self.live):
                raise errors.unknown_interface(target)
            sent = self.sent[target]
        return [0, 0, 0, 0, 64 * sent, sent, 0, 0]

    def gone(self, alias: str) -> bool:
        """True once the live document has no such device."""
        with self.lock:
            return (
                self.live is None
                or documents.find_alias(self.live, alias) is None
            )

    def _ask(self, alias: str) -> None:
        request = self._requests.get(alias)
        if self.live is None or request is None or request.answered:
            return
        element = documents.find_alias(self.live, alias)
        if element is None:
            return
        now = self._clock.now()
        answer = self._settings.guest.asked(documents.identity(element), now)
        if answer is None:
            return
        request.answered = True
        self._clock.later(
            answer.at - now, lambda: self._act(alias, request, answer)
        )

    def _act(
        self, alias: str, request: guests.Request, answer: guests.Answer
    ) -> None:
        with self.lock:
            if self._requests.get(alias) is not request:
                return
            if self.state == fakelibvirt.VIR_DOMAIN_PAUSED:
                request.answered = False
                self._held.append(alias)
                return
            del self._requests[alias]
            if answer.released:
                self._remove(alias)
        event = events.REMOVED if answer.released else events.REMOVAL_FAILED
        self._emit(self, event, (alias,))

    def _remove(self, alias: str) -> None:
        if self.live is not None:
            element = documents.find_alias(self.live, alias)
            if element is not None:
                documents.remove(self.live, element)

    def _text(self, name: str) -> str:
        return str(self.document.findtext(f'./{name}'))
