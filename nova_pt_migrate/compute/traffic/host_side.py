# SPDX-License-Identifier: Apache-2.0
"""Switch the traffic of a server's pairs over, on this host and in the guest.

The order is that of the kernel's and of the NIC vendors' notes on failover:
the other way is open before the one in use is closed, and a MAC address is in
the filters of one host only (see :mod:`core.handover`).
"""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses
import time
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.traffic import guest_side
from nova_pt_migrate.compute.traffic import observer
from nova_pt_migrate.compute.traffic import readiness
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import handover
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import pairs

LOG = logging.getLogger(__name__)
Carrier = handover.Carrier
INTERVAL = 0.1


class HostSide:
    """The pairs of one server on this host.

    :param ports: that have a standby
    :param observer: looks at them; None where only this host is switched
    :param both: the NICs give frames to PF and VF (``mac_filters``)
    """

    def __init__(
        self,
        instance: Any,
        ports: list[paired_ports.PairedPort],
        observer: observer.Observer | None,
        links: interfaces.Links,
        both: bool,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._instance = instance
        self._paired_ports = ports
        self._observer = observer
        self._links = links
        self._both = both
        self._clock = clock
        self._pause = pause
        self._guest = guest_side.GuestSide(observer, clock, pause)

    def check(self) -> None:
        """See once more that each standby can carry the traffic.

        :raises errors.Refused: one that is required cannot
        :raises errors.HostError: libvirt does not answer
        """
        if self._observer is None:
            return
        found = readiness.pairs_ready(self._paired_ports, self._observer)
        if found.reasons:
            raise errors.Refused(found.reasons)

    def over(self, stop: Callable[[], bool] = lambda: False) -> list[str]:
        """Let the standbys carry the traffic, while the devices are there.

        :param stop: tells whether to wait no longer for what they carry
        :returns: a sentence for each that nothing was seen on
        :raises errors.NotSwitched: one that is required does not; the others
            may do so already
        """
        for paired in self._paired_ports:
            try:
                self._carry(paired, Carrier.STANDBY, primary=True)
                self._guest.standby(paired)
            except (errors.HostError, errors.GuestError) as exc:
                self._not_switched(paired, exc)
        return [_quiet(paired) for paired in self._guest.quiet(stop)]

    def alone(self) -> None:
        """The devices have left: nothing of them may take a frame any more.

        Never raises: the guest is on its standbys.
        """
        self.lack(())

    def arrive(self) -> None:
        """The guest begins to run here, on its standbys.

        Never raises.
        """
        for paired in self._paired_ports:
            if paired.standby is None:
                continue
            try:
                for step in handover.at_once(paired.standby):
                    self._links.run(step)
            except errors.HostError as exc:
                LOG.debug(
                    'The standby of port %s is not on yet, which is tried '
                    'again: %s',
                    paired.pair.port, exc, instance=self._instance,
                )  # fmt: skip
        self.alone()

    def back(self, live: Collection[str]) -> bool:
        """Let each device that is in the guest carry the traffic again.

        One that the guest does not use in time leaves it to the standby, as
        does one that is missing. Where nobody can tell, the guest is given
        some seconds. Never raises.

        :param live: host PCI addresses of the devices in the live domain
        :returns: all traffic is where it should be; else try again later
        """
        done = True
        for paired in self._paired_ports:
            there = paired.pair.device in live
            if there and self._is_used(paired):
                done &= self._back(paired)
            else:
                self._carefully(paired, Carrier.STANDBY, primary=there)
                done = False
        return done

    def lack(self, live: Collection[str]) -> None:
        """Let the standby carry where the device is not in the guest.

        :param live: host PCI addresses of the devices in the live domain
        """
        for paired in self._paired_ports:
            if paired.pair.device not in live:
                self._carefully(paired, Carrier.STANDBY, primary=False)

    def exchanged(self, vif: Any) -> None:
        """A port has another device now, as its VIF says."""
        self._paired_ports = [
            dataclasses.replace(
                paired,
                vif=vif,
                pair=dataclasses.replace(
                    paired.pair, device=vif['profile']['pci_slot']
                ),
            )
            if paired.pair.port == vif['id']
            else paired
            for paired in self._paired_ports
        ]

    def silence(self) -> None:
        """The guest does not run here: nobody takes its frames."""
        for paired in self._paired_ports:
            self._carefully(paired, Carrier.NOBODY, primary=False)

    def _back(self, paired: paired_ports.PairedPort) -> bool:
        """Leave the traffic to the device, unless the guest keeps it off."""
        carrier, told = Carrier.PRIMARY, True
        try:
            self._guest.primary(paired, self._is_carrying(paired))
        except (errors.HostError, errors.GuestError) as exc:
            told = False
            if isinstance(exc, errors.NotActive):
                carrier = Carrier.STANDBY
            LOG.warning(
                'The guest was not switched back to port %s: %s',
                paired.pair.port, exc, instance=self._instance,
            )  # fmt: skip
        return self._carefully(paired, carrier, primary=True) and told

    def _carry(
        self, paired: paired_ports.PairedPort, carrier: Carrier, primary: bool
    ) -> None:
        if paired.standby is None:
            return
        gone = None if primary else paired.pair.device
        found = self._links.observe(paired.standby, gone)
        if found.up is None and carrier is Carrier.STANDBY:
            raise errors.HostError(
                f'there is no netdev {paired.standby.link} on this host'
            )
        for step in handover.plan(
            paired.standby,
            found,
            handover.Wanted(carrier, primary, self._both),
        ):
            LOG.debug('Pair: %s', step, instance=self._instance)
            self._links.run(step)

    def _carefully(
        self, paired: paired_ports.PairedPort, carrier: Carrier, primary: bool
    ) -> bool:
        try:
            self._carry(paired, carrier, primary)
        except errors.HostError as exc:
            LOG.error(
                'The traffic of port %s should be %s, and is not: %s. It is '
                'tried again from time to time.',
                paired.pair.port, carrier.value, exc,
                instance=self._instance,
            )  # fmt: skip
            return False
        return True

    def _is_used(self, paired: paired_ports.PairedPort) -> bool:
        """Wait until the guest's driver has taken the device into use.

        Its link comes a moment later, which cannot be seen from here.
        """
        deadline = self._clock() + guest_side.USED
        while not self._sees_use(paired):
            if self._clock() > deadline:
                LOG.warning(
                    'The guest does not use device %s of port %s yet; its '
                    'standby goes on.', paired.pair.device, paired.pair.port,
                    instance=self._instance,
                )  # fmt: skip
                return False
            self._pause(INTERVAL)
        return True

    def _is_carrying(self, paired: paired_ports.PairedPort) -> bool:
        """Tell whether a standby of ours is on; so it is if none can see."""
        if paired.standby is None:
            return False
        try:
            return self._links.observe(paired.standby, None).up is not False
        except errors.HostError as exc:
            LOG.warning(
                'The standby of port %s is taken to be on: %s',
                paired.pair.port, exc, instance=self._instance,
            )  # fmt: skip
            return True

    def _sees_use(self, paired: paired_ports.PairedPort) -> bool:
        try:
            return self._links.is_used(paired.pair.device)
        except errors.HostError as exc:
            LOG.warning(
                'The guest is taken not to use device %s of port %s yet: %s',
                paired.pair.device, paired.pair.port, exc,
                instance=self._instance,
            )  # fmt: skip
            return False

    def _not_switched(
        self, paired: paired_ports.PairedPort, exc: Exception
    ) -> None:
        port = paired.pair.port
        if paired.choice.standby is pairs.Need.REQUIRED:
            raise errors.NotSwitched(
                f'The standby of port {port} does not carry its traffic: {exc}'
            ) from exc
        LOG.warning(
            'The standby of port %s does not carry its traffic, and the live '
            'migration goes on: %s', port, exc, instance=self._instance,
        )  # fmt: skip


def _quiet(paired: paired_ports.PairedPort) -> str:
    return (
        f'Nothing came from the guest on port {paired.pair.standby_port} for '
        f'{guest_side.ARRIVED:g} s since its bond was switched from port '
        f'{paired.pair.port} to it, so that others may not know yet: set '
        f'num_grat_arp of the bond to 3 or more.'
    )
