# SPDX-License-Identifier: Apache-2.0
"""Bring a server on this host to where it should be, and tell of it."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
from typing import Any

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import replacements
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import exchange
from nova_pt_migrate.compute.server import notice
from nova_pt_migrate.compute.server import remarks
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import act
from nova_pt_migrate.core import course as courses
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import order
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import planned
from nova_pt_migrate.core import reasons

Place = order.Place
Stage = order.Stage
Failures = dict[str, reasons.Failure]
Exchanging = Callable[[replacements.Replacements], exchange.Exchange | None]
OTHERS = 3
"""Devices that are tried for a port instead of one that is unfit."""
NOT_BACK = reasons.Failure(
    reasons.Reason.HOST_ERROR, 'the traffic is not with the device yet'
)


class Server:
    """What this driver owns of a server, on the host where this runs.

    :param hands: what is acted with
    :ivar ports: those that have a standby
    :param observer: looks at them; None where only the host is switched
    :param xml_of: gives the libvirt element of a VIF
    :param reporter: takes down what the user is told
    :param exchanging: makes what exchanges its devices, where it is here
    :param seen: its links, if they need not be looked at, by port
    :ivar seen: its links as they were last seen, by port
    """

    def __init__(
        self,
        instance: Any,
        hands: act.Hands,
        ports: Sequence[paired_ports.PairedPort],
        observer: observer.Observer | None,
        xml_of: our_vifs.XmlOf,
        settings: configuration.Settings,
        reporter: phases.Reporter | None = None,
        exchanging: Exchanging = lambda others: None,
        seen: Mapping[str, planned.Seen] | None = None,
    ) -> None:
        self._instance = instance
        self._hands = hands
        self.ports = ports
        self._observer = observer
        self._xml_of = xml_of
        self._settings = settings
        self._reporter = reporter
        self._exchanging = exchanging
        self._known: Mapping[str, planned.Seen] = seen or {}
        self.seen = self._known

    def bring(
        self,
        place: Place,
        vifs: Sequence[our_vifs.Vif] = (),
        *,
        migration: str | None = None,
        departure: departures.Departure | None = None,
        phase: phase_names.PhaseName = phase_names.PhaseName.PLUG,
        others: replacements.Replacements | None = None,
    ) -> Failures:
        """Bring devices, links and guest to where they should be.

        Only ``LEAVING`` raises for a device or for libvirt: in all other
        places the guest is where it is, and whoever calls has more to do than
        this.

        :param vifs: those whose devices come or go; all pairs are switched
        :param migration: UUID of the one that the server leaves for, of
            which notice is given then
        :param departure: may be asked to stop
        :param phase: what coming home is told as
        :param others: where to get another device for one that is unfit
        :returns: a sentence for each device that is not in the guest, by
            host PCI address, and one without if the traffic is not with the
            devices; it is logged with what to do
        :raises errors.Refused: a pair is not ready; nothing was changed
        :raises errors.NotSwitched: a standby does not carry; nothing was
            asked of the guest
        :raises errors.NotUnplugged: some are still in the live domain and
            may still leave it; what left is out
        :raises errors.Aborted: it was asked to stop; devices may still be in
            the live domain, and may still leave it; what left is out
        :raises errors.HostError: libvirt does not answer; nothing was asked
        :raises errors.NotOurTurn: an operation has taken over; what was done
            until then is done
        """
        if place is Place.LEAVING:
            self._leave(vifs, migration, departure or departures.Departure())
            return {}
        if place is Place.HOME:
            return self._come_home(vifs, phase, others)
        course = self._course(place)
        failures = self._run(course)
        self.seen = course.found.links
        return failures

    def give_up(self, vif: our_vifs.Vif) -> None:
        """Take a device out of the guest and out of both documents.

        :raises errors.NotUnplugged: it is still in the guest and in both
        :raises errors.HostError: libvirt does not answer; the persistent XML
            still has it, and it may have left the guest
        """
        assert self._hands.domain is not None
        devices = our_vifs.devices([vif], lambda vif: '')
        course = courses.Course(
            planned.Wanted(Place.LEAVING, devices),
            self._hands,
            self._hands.domain.observe(),
        )
        failures = self._run(course)
        if failures:
            raise errors.NotUnplugged(failures)
        self._hands.domain.forget(vif['profile']['pci_slot'])

    def _course(
        self,
        place: Place,
        vifs: Sequence[our_vifs.Vif] = (),
        stop: Callable[[], bool] = lambda: False,
    ) -> courses.Course:
        """Look, and return what is to be done.

        :raises errors.HostError: libvirt does not answer
        """
        domain = self._hands.domain
        found = domain.observe() if domain is not None else None
        known = found.persistent if found else {}
        gib = found.memory_gib if found else 0.0
        return courses.Course(
            planned.Wanted(
                place,
                our_vifs.devices(
                    vifs,
                    # Nova's element is asked for where there is none.
                    lambda vif: (
                        ''
                        if our_vifs.address(vif) in known
                        else self._xml_of(vif)
                    ),
                ),
                tuple(paired.here for paired in self.ports),
                self._settings.mac_filters == 'both',
                self._known,
            ),
            dataclasses.replace(
                self._hands,
                stop=stop,
                plug=self._settings.plug_deadline(gib),
            ),
            found,
        )

    def _leave(
        self,
        vifs: Sequence[our_vifs.Vif],
        migration: str | None,
        departure: departures.Departure,
    ) -> None:
        if migration is not None:
            assert self._hands.domain is not None
            notice.Notice(
                self._instance,
                self._hands.domain,
                self._settings,
                {paired.pair.port for paired in self.ports},
                self._hands.time.clock,
                self._reporter,
            ).give(vifs, migration, departure)
        course = self._course(Place.LEAVING, vifs, lambda: departure.stopped)
        self._run(course, Stage.RECORD)
        with self._phase(
            phase_names.PhaseName.UNPLUG, migration, course.devices(True)
        ) as phase:
            self._switch(course, phase)
            failures = self._run(course, Stage.UNPLUG)
            departure.released.update(course.released)
            if departure.stopped:
                phase.fail(
                    phase_names.Result.ABORTED, {'': departures.ABORTED}
                )
                raise errors.Aborted(departures.ABORTED.text)
            if failures:
                phase.fail(phase_names.Result.UNPLUG_FAILED, failures)
                raise errors.NotUnplugged(failures)
            self._run(course)
            self.seen = course.found.links

    def _switch(self, course: courses.Course, phase: phases.Phase) -> None:
        """Let the standbys carry, in a phase."""
        try:
            if self._observer is not None:
                found = readiness.pairs_ready(self.ports, self._observer)
                if found.reasons:
                    raise errors.Refused(found.reasons)
            remarks.not_carried(
                self._instance, self.ports, course.run(Stage.SWITCH)
            )
        except (errors.Refused, errors.NotSwitched) as exc:
            phase.fail(
                phase_names.Result.NOT_SWITCHED, {'': remarks.why_not(exc)}
            )
            raise
        quiet = {key.port for key in course.run(Stage.HEAR)}
        remarks.quiet(self._instance, self._reporter, self.ports, quiet)

    def _come_home(
        self,
        vifs: Sequence[our_vifs.Vif],
        name: phase_names.PhaseName,
        replacing: replacements.Replacements | None,
    ) -> Failures:
        others = None if replacing is None else self._exchanging(replacing)
        try:
            if others is not None:
                others.reconcile()
            course = self._course(Place.HOME, vifs)
        except errors.HostError as exc:
            failure = reasons.Failure(reasons.Reason.HOST_ERROR, str(exc))
            return remarks.missing(
                self._instance,
                {vif['profile']['pci_slot']: failure for vif in vifs},
            )
        self._run(course, Stage.RECORD, Stage.SILENCE)
        if not course.is_active:
            return {}
        failures: Failures = {}
        lacking = course.devices(False)
        with contextlib.ExitStack() as stack:
            if lacking:
                told = stack.enter_context(self._phase(name, None, lacking))
                stack.enter_context(remarks.giving_way(told))
                failures = self._plug(course, list(vifs), others)
                if failures:
                    told.fail(phase_names.Result.PLUG_FAILED, failures)
            back = not self._run(course) and course.is_carried
        remarks.missing(self._instance, failures)
        return failures if back or failures else {'': NOT_BACK}

    def _plug(
        self,
        course: courses.Course,
        vifs: list[our_vifs.Vif],
        others: exchange.Exchange | None,
    ) -> Failures:
        """Plug each, and others instead of those that are unfit."""
        failures: Failures = {}
        for left in reversed(range(OTHERS + 1)):
            self._run(course, Stage.CARRY)
            failures |= self._run(course, Stage.PLUG)
            vifs = our_vifs.at(vifs, course.unfit)
            if others is None or not vifs or not left:
                break
            vifs = others.of(vifs, failures, course)
        return failures

    def _run(self, course: courses.Course, *stages: Stage) -> Failures:
        """Run these stages, and say what was not done."""
        failures = course.run(*stages)
        for key, failure in failures.items():
            remarks.not_done(self._instance, key, failure, course.carrier(key))
        return {key.device: failure for key, failure in failures.items()}

    def _phase(
        self,
        name: phase_names.PhaseName,
        migration: str | None,
        devices: list[str],
    ) -> Any:
        return phases.phase(
            name, self._instance.uuid, migration, devices, self._reporter
        )
