# SPDX-License-Identifier: Apache-2.0
"""The devices of one server on this host: observe, plan, act."""

from collections.abc import Callable
import time
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import replacements
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.server import exchange
from nova_pt_migrate.compute.server import remarks
from nova_pt_migrate.compute.server import turns
from nova_pt_migrate.compute.server import vif_driver
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.compute.traffic import host_side
from nova_pt_migrate.core import act
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import plan
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import steps

LOG = logging.getLogger(__name__)
NOT_BACK = reasons.Failure(
    reasons.Reason.HOST_ERROR, 'the traffic is not with the device yet'
)
OTHERS = 3
"""Devices that are tried for a port instead of one that is unfit."""


class Server:
    """What this driver owns of a server, on the host where this runs.

    :param domain: the server's libvirt domain
    :param vif_driver: Nova's, for the host's side of each device
    :param xml_of: gives the libvirt element of a VIF
    :param pairs: the server's pairs, to switch them over
    :param reporter: takes down what the user is told
    :param guard: has each step seen to be in turn, beside those of domain
        and pairs
    """

    def __init__(
        self,
        instance: Any,
        domain: interfaces.Domain,
        vif_driver: Any,
        xml_of: our_vifs.XmlOf,
        settings: configuration.Settings,
        pairs: host_side.HostSide,
        clock: Callable[[], float] = time.monotonic,
        reporter: phases.Reporter | None = None,
        guard: turns.Guard = turns.unguarded,
    ) -> None:
        self._instance = instance
        self._domain = domain
        self._vif_driver = vif_driver
        self._xml_of = xml_of
        self._settings = settings
        self._pairs = pairs
        self._clock = clock
        self._reporter = reporter
        self._guard = guard

    def leave(
        self,
        vifs: list[our_vifs.Vif],
        migration: str | None,
        departure: departures.Departure,
    ) -> None:
        """Switch over to the standbys, and unplug the devices of the VIFs.

        All devices share one deadline. The persistent XML keeps them.

        :raises errors.Refused: a pair is not ready; nothing was changed
        :raises errors.NotSwitched: a standby does not carry; nothing was
            asked of the guest
        :raises errors.NotUnplugged: some are still in the live domain and
            may still leave it; what left is out
        :raises errors.Aborted: it was asked to stop; devices may still be in
            the live domain, and may still leave it; what left is out
        :raises errors.HostError: libvirt does not answer; nothing was asked
        """
        todo, _ = self._plan(model.Place.LEAVING, vifs)
        unplugs = [step for step in todo if isinstance(step, steps.Unplug)]
        with self._phase(
            phase_names.PhaseName.UNPLUG, migration, unplugs
        ) as phase:
            try:
                self._pairs.check()
                remarks.quiet(
                    self._instance,
                    self._reporter,
                    self._pairs.over(lambda: departure.stopped),
                )
            except (errors.Refused, errors.NotSwitched) as exc:
                phase.fail(
                    phase_names.Result.NOT_SWITCHED, {'': remarks.why_not(exc)}
                )
                raise
            outcome = self._unplug(unplugs, vifs, lambda: departure.stopped)
            departure.released.update(
                step.alias for step in unplugs if step.device in outcome.done
            )
            if departure.stopped:
                phase.fail(
                    phase_names.Result.ABORTED, {'': departures.ABORTED}
                )
                raise errors.Aborted(departures.ABORTED.text)
            if outcome.failures:
                phase.fail(phase_names.Result.UNPLUG_FAILED, outcome.failures)
                raise errors.NotUnplugged(outcome.failures)
            self._pairs.alone()

    def give_up(self, vif: our_vifs.Vif) -> None:
        """Take a device out of the guest and out of both documents.

        :raises errors.NotUnplugged: it is still in the guest and in both
        :raises errors.HostError: libvirt does not answer; the persistent XML
            still has it, and it may have left the guest
        """
        todo, _ = self._plan(model.Place.LEAVING, [vif])
        unplugs = [step for step in todo if isinstance(step, steps.Unplug)]
        outcome = self._unplug(unplugs, [vif], lambda: False)
        if outcome.failures:
            raise errors.NotUnplugged(outcome.failures)
        self._domain.forget(vif['profile']['pci_slot'])

    def _unplug(
        self,
        unplugs: list[steps.Unplug],
        vifs: list[our_vifs.Vif],
        stop: Callable[[], bool],
    ) -> act.Outcome:
        return act.unplug(
            self._domain,
            self._wiring(vifs),
            unplugs,
            seconds=self._settings.unplug_timeout,
            retry=self._settings.unplug_retry_interval,
            clock=self._clock,
            stop=stop,
        )

    def come_home(
        self,
        vifs: list[our_vifs.Vif],
        phase: phase_names.PhaseName = phase_names.PhaseName.PLUG,
        others: replacements.Replacements | None = None,
    ) -> dict[str, reasons.Failure]:
        """Plug each device of the VIFs that the live domain lacks.

        The traffic is brought back to the devices as well.

        Never raises for a device or for libvirt: the guest runs here, and
        whoever calls has more to do than this.

        :param others: where to get another device for one that is unfit
        :raises errors.NotOurTurn: an operation has taken over; what was done
            until then is done
        :returns: a sentence for each device that is not in the guest, by
            host PCI address, and one without if the traffic is not with the
            devices; it is logged with what to do
        """
        try:
            if others is not None:
                exchange.reconcile(self._domain, self._xml_of, others)
            todo, found = self._plan(model.Place.HOME, vifs)
        except errors.HostError as exc:
            failure = reasons.Failure(reasons.Reason.HOST_ERROR, str(exc))
            return remarks.missing(
                self._instance,
                {vif['profile']['pci_slot']: failure for vif in vifs},
            )
        if not found.active:
            self._pairs.silence()
            return {}
        plugs = [step for step in todo if isinstance(step, steps.Plug)]
        if not plugs:
            return {} if self._pairs.back(found.live) else {'': NOT_BACK}
        # An event may have been missed that would have told of the guest.
        self._pairs.lack(found.live)
        with self._phase(phase, None, plugs) as told, remarks.giving_way(told):
            failures = self._plug_or_exchange(
                plugs,
                vifs,
                self._settings.plug_deadline(found.memory_gib),
                others,
            )
            if failures:
                told.fail(phase_names.Result.PLUG_FAILED, failures)
            back = self._switch_back()
        remarks.missing(self._instance, failures)
        return failures if back or failures else {'': NOT_BACK}

    def _plug_or_exchange(
        self,
        plugs: list[steps.Plug],
        vifs: list[our_vifs.Vif],
        seconds: float,
        others: replacements.Replacements | None,
    ) -> dict[str, reasons.Failure]:
        """Plug each, and others instead of those that are unfit."""
        outcome = self._plug(plugs, vifs, seconds)
        failures = outcome.failures
        for _ in range(OTHERS):
            if others is None or not outcome.unfit:
                break
            vifs, plugs = exchange.exchange(
                self._instance,
                self._domain,
                self._xml_of,
                others,
                our_vifs.at(vifs, outcome.unfit),
                failures,
            )
            for vif in vifs:
                self._pairs.exchanged(vif)
            outcome = self._plug(plugs, vifs, seconds)
            failures |= outcome.failures
        return failures

    def _switch_back(self) -> bool:
        try:
            return self._pairs.back(self._domain.observe().live)
        except errors.HostError as exc:
            LOG.warning(
                'The traffic is left where it is until libvirt answers: %s',
                exc, instance=self._instance,
            )  # fmt: skip
            return False

    def _plug(
        self, plugs: list[steps.Plug], vifs: list[our_vifs.Vif], seconds: float
    ) -> act.Outcome:
        return act.plug(
            self._domain, self._wiring(vifs), plugs, seconds=seconds
        )

    def _wiring(self, vifs: list[our_vifs.Vif]) -> interfaces.Wiring:
        wiring = vif_driver.VifWiring(self._vif_driver, self._instance, vifs)
        return self._guard(wiring)

    def _plan(
        self, place: model.Place, vifs: list[our_vifs.Vif]
    ) -> tuple[tuple[steps.Step, ...], model.Found]:
        """Return what there is to do; the record is completed at once."""
        found = self._domain.observe()
        wanted = model.Wanted(place, our_vifs.devices(vifs, self._xml_of))
        todo = plan.plan(found, wanted)
        left = act.keep(
            self._domain,
            [step for step in todo if isinstance(step, steps.Keep)],
        )
        for device, answer in left.items():
            LOG.warning(
                'Device %s is not in the persistent XML, and cannot be put '
                'there: %s. Once unplugged it may come back at another PCI '
                'address in the guest.', device, answer,
                instance=self._instance,
            )  # fmt: skip
        return todo, found

    def _phase(
        self,
        name: phase_names.PhaseName,
        migration: str | None,
        todo: list[Any],
    ) -> Any:
        return phases.phase(
            name,
            self._instance.uuid,
            migration,
            [step.device.address for step in todo],
            self._reporter,
        )
