# SPDX-License-Identifier: Apache-2.0
"""Whether VFs can be handed to a guest: each is bound to VFIO, and back.

libvirt does it, in the way it does when a managed device is plugged and when
its guest has released it (src/hypervisor/virhostdev.c): it refuses a device
that a domain has, writes ``driver_override`` and lets the kernel probe. That
the kernel has bound nothing then is no error of libvirt, so it is looked at.

A device that stays with VFIO, since nova-compute or libvirt ended half-way, is
plugged all the same: libvirt finds it there. It is not given back to the
host's driver when the guest releases it, until somebody re-attaches it.
"""

from collections.abc import Callable
from collections.abc import Iterable
import dataclasses
import re
import threading
from typing import Any

from lxml import etree
from oslo_log import log as logging

from nova_pt_migrate.core import errors
from nova_pt_migrate.host import blocking

LOG = logging.getLogger(__name__)
VFIO = 'vfio'
"""In the name of each driver that hands devices to guests: vfio-pci, and its
variants for one vendor, which libvirt prefers."""

_NOT_BOUND = 'the kernel does not bind it to vfio-pci, and its log says why'
_NO_GROUP = (
    'it has no IOMMU group (switch the IOMMU on, in the firmware and for the '
    'kernel)'
)


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    """What libvirt sees of a device in sysfs at this moment.

    :ivar driver: None if it has none
    :ivar isolated: it has an IOMMU group
    """

    driver: str | None
    isolated: bool

    @property
    def with_vfio(self) -> bool:
        return self.driver is not None and VFIO in self.driver


class Rehearsal:
    """Rehearses devices that no guest has.

    :param look_up: gives the ``virNodeDevice`` of a name
    :param error: libvirt's
    :param obstacle: says in words what on the host is in a device's way, or
        None; as :meth:`host.links.HostLinks.obstacle`
    :param seconds: how long one :meth:`run` may take
    """

    def __init__(
        self,
        look_up: Callable[[str], Any],
        error: type[Exception],
        obstacle: Callable[[str], str | None],
        seconds: float,
    ) -> None:
        self._look_up = look_up
        self._error = error
        self._obstacle = obstacle
        self._seconds = seconds

    def run(self, devices: Iterable[str]) -> dict[str, str]:
        """Say of each device that no guest can get why.

        Afterwards each is with the driver that the kernel has for it, as
        after a guest, and one that VFIO had before is left with it. What
        took too long still comes to its end: that device is given back when
        libvirt answers, and no other is begun.

        :param devices: host PCI addresses
        :returns: by host PCI address; empty if all is well
        """
        wanted = list(devices)
        found: dict[str, str | None] = {}
        over = threading.Event()

        def rehearse() -> None:
            for device in wanted:
                if not over.is_set():
                    found[device] = self._one(device)

        call = blocking.Call(rehearse, 'rehearsal')
        if not call.finished(self._seconds):
            over.set()
        if call.error is not None:
            raise call.error
        late = f'libvirt has not answered for {self._seconds:g} s'
        return {
            device: why
            for device in wanted
            if (why := found.get(device, late)) is not None
        }

    def _one(self, device: str) -> str | None:
        try:
            node = self._look_up(f'pci_{re.sub("[:.]", "_", device)}')
            seen = _see(node)
        except self._error as exc:
            return f'libvirt: {exc}'
        if not seen.isolated:
            return _NO_GROUP
        try:
            why = self._obstacle(device)
        except errors.HostError as exc:
            why = str(exc)
        if why:
            return why
        if seen.with_vfio:
            return self._taken(node)
        return self._bind(device, node, seen)

    def _taken(self, node: Any) -> str | None:
        """Say that a domain has what VFIO has, or that libvirt gives it not.

        libvirt refuses what a domain has, and changes nothing for the rest.
        """
        try:
            node.detachFlags(None, 0)
        except self._error as exc:
            return f'libvirt: {exc}'
        return None

    def _bind(self, device: str, node: Any, before: _Seen) -> str | None:
        try:
            node.detachFlags(None, 0)
        except self._error as exc:
            self._give_back(device, node, before)
            return f'libvirt: {exc}'
        try:
            bound = _see(node).with_vfio
        except self._error as exc:
            return f'libvirt: {exc}'
        finally:
            self._give_back(device, node)
        return None if bound else _NOT_BOUND

    def _give_back(
        self, device: str, node: Any, before: _Seen | None = None
    ) -> None:
        """Let the host's driver have the device again.

        :param before: nothing is done if it is still as it was then
        """
        try:
            if before is None or _see(node) != before:
                node.reAttach()
        except self._error as exc:
            LOG.warning(
                'Device %s stays with VFIO, where guests can get it: %s',
                device, exc,
            )  # fmt: skip


def _see(node: Any) -> _Seen:
    document = etree.fromstring(node.XMLDesc(0))
    return _Seen(
        driver=document.findtext('./driver/name'),
        isolated=document.find('./capability/iommuGroup') is not None,
    )
