# SPDX-License-Identifier: Apache-2.0
"""Give a port another device where its own is unfit, in all records.

The records come first, so that whoever reads them later, after a failure or a
restart, finds the device that the guest has or is to have.
"""

import dataclasses
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import replacements
from nova_pt_migrate.compute.server import vif_driver
from nova_pt_migrate.core import course as courses
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """Exchanges devices of one server.

    :ivar others: where to get others
    """

    instance: Any
    domain: interfaces.Domain
    wiring: vif_driver.VifWiring
    xml_of: our_vifs.XmlOf
    others: replacements.Replacements

    def of(
        self,
        vifs: list[our_vifs.Vif],
        failures: dict[str, reasons.Failure],
        course: courses.Course,
    ) -> list[our_vifs.Vif]:
        """Exchange the devices of the VIFs, as far as there are others.

        Never raises: a device that cannot be exchanged stays in the records.

        :param vifs: those whose devices are unfit
        :param failures: loses the sentences of devices that were exchanged
        :param course: which plugs the others next
        :returns: the VIFs with other devices
        """
        exchanged = []
        for vif in vifs:
            address = vif['profile']['pci_slot']
            other = self.others.claim(vif)
            if other is None:
                continue
            try:
                new, kept = self._record(vif, other)
            except errors.HostError as exc:
                failures[address] = dataclasses.replace(
                    failures[address], text=f'{failures[address]} ({exc})'
                )
                continue
            LOG.error(
                'Device %s cannot be plugged: %s. The server gets %s instead; '
                'see what is wrong with the first.',
                address, failures.pop(address), new.address,
                instance=self.instance,
            )  # fmt: skip
            course.exchange(address, new, kept)
            self.wiring.exchange(other)
            exchanged.append(other)
        return exchanged

    def reconcile(self) -> None:
        """Let the persistent XML have what the ports name, after a crash.

        :raises errors.HostError: libvirt does not answer
        """
        for address, vif in self.others.strays():
            (device,) = our_vifs.devices([vif], self.xml_of)
            if device.address not in self.domain.observe().persistent:
                self.domain.exchange(address, device.xml)

    def _record(
        self, vif: our_vifs.Vif, other: our_vifs.Vif
    ) -> tuple[model.Device, str | None]:
        """Let the persistent XML, Neutron and Nova have the other device.

        :returns: it, and its element in the persistent XML, if that had the
            old
        :raises errors.HostError: they have the old one
        """
        (old,) = our_vifs.devices([vif], self.xml_of)
        (new,) = our_vifs.devices([other], self.xml_of)
        kept = self.domain.exchange(old.address, new.xml)
        try:
            self.others.record(vif, other)
        except errors.HostError:
            self.domain.exchange(new.address, old.xml)
            raise
        return new, kept
