# SPDX-License-Identifier: Apache-2.0
"""The devices that Nova's PCI tracker of this host has set aside.

Nova claims devices here for a server that is on its way, and allocates them
when it has arrived. The tracker's maps forget a claim when a second one
follows (nova/pci/manager.py:349), so the devices themselves are looked at:
each knows its state and its server.
"""

from collections.abc import Callable
import contextlib
from typing import Any

from nova.compute import resource_tracker
from nova.objects import fields
from oslo_concurrency import lockutils
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

SET_ASIDE = (fields.PciDeviceStatus.CLAIMED, fields.PciDeviceStatus.ALLOCATED)


def held(tracker: Any) -> dict[str, list[Any]]:
    """Return the devices that are claimed or allocated here, by server.

    :param tracker: nova.compute.resource_tracker.ResourceTracker
    :returns: lists of nova.objects.PciDevice by UUID of the server, which
        may be on this host, on its way to it, or elsewhere; empty while the
        tracker does not know the host's devices yet
    """
    with _locked():
        return _held(tracker)


def free(
    context: Any,
    tracker: Any,
    server: str,
    unless: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Free every device held here for a server that is not here.

    May be repeated. Nothing is told to the guest or to libvirt.

    :param server: its UUID
    :param unless: asked before anything is freed, while nothing can be
        claimed here: true keeps the devices. It may ask the database, but
        must not wait for another host.
    :returns: PCI addresses of the devices that were freed
    """
    with _locked():
        devices = _held(tracker).get(server, [])
        if not devices or unless():
            return []
        for device in devices:
            tracker.pci_tracker.free_device(device, {'uuid': server})
        tracker.pci_tracker.save(context)
    addresses = [device.address for device in devices]
    LOG.info('Server %s is not here: freed %s', server, ', '.join(addresses))
    return addresses


def _held(tracker: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    if tracker.pci_tracker is None:
        return found
    for device in tracker.pci_tracker.pci_devs:
        if device.status in SET_ASIDE and device.instance_uuid:
            found.setdefault(device.instance_uuid, []).append(device)
    return found


def _locked() -> contextlib.AbstractContextManager[Any]:
    """Hold Nova's lock for whatever reads or changes the tracker."""
    return lockutils.lock(
        resource_tracker.COMPUTE_RESOURCE_SEMAPHORE, fair=True
    )
