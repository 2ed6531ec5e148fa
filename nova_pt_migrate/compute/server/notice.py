# SPDX-License-Identifier: Apache-2.0
"""Tell of devices that will be unplugged and have no standby, in good time.

Nobody but the guest can move the traffic of such a device. It is told by an
event of the server and a notification, ``pt_migrate_notice``; the flavor says
how long before the unplug (extra spec ``pt_migrate:notice``).
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
import time
from typing import Any

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.notifications import phases
from nova_pt_migrate.compute.pairs import choices
from nova_pt_migrate.compute.server import departures
from nova_pt_migrate.compute.startup import configuration
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import phase_names
from nova_pt_migrate.core import plugging


class Notice:
    """Gives notice to one server on this host.

    :param domain: the server's libvirt domain
    :param paired: UUIDs of the ports that have a standby
    :param reporter: takes down what the user is told
    """

    def __init__(
        self,
        instance: Any,
        domain: interfaces.Domain,
        settings: configuration.Settings,
        paired: Collection[str],
        clock: Callable[[], float] = time.monotonic,
        reporter: phases.Reporter | None = None,
    ) -> None:
        self._instance = instance
        self._domain = domain
        self._settings = settings
        self._paired = paired
        self._clock = clock
        self._reporter = reporter

    def give(
        self,
        vifs: Sequence[our_vifs.Vif],
        migration: str | None,
        departure: departures.Departure,
    ) -> None:
        """Tell of the devices without a standby, and wait.

        Nothing is changed or asked of the guest. The wait is over sooner
        where the guest has released all of these devices by itself.

        :param vifs: those whose devices are ours
        :raises errors.Aborted: the user asked to stop, or nova-compute did
        """
        alone = [vif for vif in vifs if vif['id'] not in self._paired]
        if not alone:
            return
        seconds = choices.notice(self._instance)
        devices = [vif['profile']['pci_slot'] for vif in alone]
        with phases.phase(
            phase_names.PhaseName.NOTICE,
            self._instance.uuid,
            migration,
            devices,
            self._reporter,
            text=_text(alone, seconds, self._settings.unplug_timeout),
            momentary=not seconds,
        ) as phase:
            if seconds:
                plugging.wait_for_release(
                    self._domain,
                    devices,
                    seconds=seconds,
                    clock=self._clock,
                    stop=lambda: departure.stopped,
                )
            if departure.stopped:
                phase.fail(
                    phase_names.Result.ABORTED, {'': departures.ABORTED}
                )
                raise errors.Aborted(departures.ABORTED.text)


def _text(vifs: list[our_vifs.Vif], seconds: int, deadline: float) -> str:
    """Say what the guest can act on; seconds first, since details are cut."""
    when = f'in {seconds} s' if seconds else 'now'
    named = ', '.join(f'{vif["id"]} ({vif["address"]})' for vif in vifs)
    return (
        f'The guest will be asked {when} for devices that have no standby, '
        f'and has {deadline:g} s then to release them: ports {named}'
    )
