# SPDX-License-Identifier: Apache-2.0
"""The devices that Nova's PCI tracker of this host has set aside.

Nova claims devices here for a server that is on its way, and allocates them
when it has arrived. The tracker's maps forget a claim when a second one
follows (nova/pci/manager.py:349), so the devices themselves are looked at:
each knows its state and its server.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import contextlib
import copy
import dataclasses
from typing import Any

from nova import exception
from nova import objects
from nova.compute import resource_tracker
from nova.objects import fields
from nova.objects import instance_pci_requests
from oslo_concurrency import lockutils
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs

LOG = logging.getLogger(__name__)

InstancePCIRequest = instance_pci_requests.InstancePCIRequest
SET_ASIDE = (fields.PciDeviceStatus.CLAIMED, fields.PciDeviceStatus.ALLOCATED)


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What a server wants of a host's PCI devices.

    :ivar nova: nova.objects.InstancePCIRequest
    :ivar owner: what the device is for, in words
    """

    nova: Any
    owner: str

    def __str__(self) -> str:
        wanted = '; '.join(
            ', '.join(f'{key} {value}' for key, value in sorted(spec.items()))
            for spec in self.nova.spec
        )
        return f'{self.owner} ({wanted})'


def tracker(virtapi: Any) -> Any:
    """Return this host's resource tracker; None outside of nova-compute.

    :param virtapi: nova.compute.manager.ComputeVirtAPI
    """
    return getattr(getattr(virtapi, '_compute', None), 'rt', None)


def requests(tracker: Any, instance: Any) -> list[Request]:
    """Return the requests that Nova will claim here, in its order.

    Those of the flavor and those of the ports, of devices of ours and of
    others (nova/compute/manager.py:8889, 8901). Nova finds that of a port by
    the address of its device on the source, which another on this host may
    have (nova/pci/request.py:266); it asks the database which host is which.
    """
    found = [
        Request(each, f'alias {each.alias_name}')
        for each in instance.pci_requests.requests
        if each.source == InstancePCIRequest.FLAVOR_ALIAS
    ]
    here = {node.id for node in tracker.compute_nodes.values()}
    wanted = {
        device.address: device.request_id
        for device in instance.pci_devices
        if device.compute_node_id not in here
    }
    for vif in instance.get_network_info():
        request_id = wanted.get(our_vifs.address(vif))
        found += [
            Request(each, f'port {vif["id"]}')
            for each in instance.pci_requests.requests
            if request_id and each.request_id == request_id
        ]
    return found


def unmet(tracker: Any, requests: list[Request]) -> list[Request]:
    """Return the requests that no free device is left for.

    Only a claim is certain: whatever Nova decides then about NUMA cells and
    about PFs whose VFs are taken is not known here.
    """
    with _locked():
        if tracker.pci_tracker is None:
            return list(requests)
        stats = copy.deepcopy(tracker.pci_tracker.stats)
    left = []
    for request in requests:
        try:
            stats.apply_requests([request.nova], None)
        except exception.PciDeviceRequestFailed:
            left.append(request)
    return left


def is_ready(virtapi: Any) -> bool:
    """True once nova-compute has its tracker, which comes after its start.

    :param virtapi: nova.compute.manager.ComputeVirtAPI
    """
    found = tracker(virtapi)
    return found is not None and found.pci_tracker is not None


def held(tracker: Any) -> dict[str, list[Any]]:
    """Return the devices that are claimed or allocated here, by server.

    :param tracker: nova.compute.resource_tracker.ResourceTracker
    :returns: lists of nova.objects.PciDevice by UUID of the server, which
        may be on this host, on its way to it, or elsewhere; empty while the
        tracker does not know the host's devices yet
    """
    with _locked():
        return _held(tracker)


def holder(tracker: Any, address: str) -> str | None:
    """Return the UUID of the server that a device here is set aside for.

    Waits for nobody: what is claimed or freed meanwhile may not be seen.

    :param tracker: as for :func:`held`, or None
    :param address: PCI address on this host
    """
    if tracker is None or tracker.pci_tracker is None:
        return None
    for device in list(tracker.pci_tracker.pci_devs):
        if device.address == address and device.status in SET_ASIDE:
            return str(device.instance_uuid)
    return None


def recorded(context: Any, host: str) -> list[Any]:
    """Return the PCI devices that the database has for a host.

    :returns: of nova.objects.PciDevice; none for a host that is new
    """
    try:
        nodes = objects.ComputeNodeList.get_all_by_host(context, host)
    except exception.ComputeHostNotFound:
        return []
    return [
        device
        for node in nodes
        for device in objects.PciDeviceList.get_by_compute_node(
            context, node.id
        )
    ]


def remember(tracker: Any, server: str) -> None:
    """Let the tracker know of every device that is claimed for a server.

    It forgets those of a claim when a second claim follows, and would then
    neither allocate them nor free them.

    :param server: its UUID
    """
    with _locked():
        claimed = [
            device
            for device in _held(tracker).get(server, [])
            if device.status == fields.PciDeviceStatus.CLAIMED
        ]
        if claimed:
            tracker.pci_tracker.claims[server] = claimed


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


def take_back(
    context: Any,
    tracker: Any,
    server: str,
    requests: Mapping[str, str | None],
) -> list[str]:
    """Allocate to a server of this host the devices that its guest has.

    May be repeated. One that is set aside for another server is left to it.

    :param server: its UUID
    :param requests: for what Nova had given each device, by its PCI address
    :returns: PCI addresses of the devices that the server has now
    :raises nova.exception.NovaException: the database does not answer; it
        is told when the tracker is saved the next time
    """
    taken = []
    with _locked():
        found = tracker.pci_tracker
        for device in found.pci_devs if found else ():
            if device.address not in requests:
                continue
            if device.status == fields.PciDeviceStatus.AVAILABLE:
                found.stats.remove_device(device)
                found.stats._handle_device_dependents(device)
                device.claim(server)
                device.request_id = requests[device.address]
                device.allocate({'uuid': server})
                found.allocations[server].append(device)
                LOG.warning(
                    'Device %s was free, and server %s has it: it is '
                    'allocated to it again', device.address, server,
                )  # fmt: skip
            if device.instance_uuid == server:
                taken.append(device.address)
        if taken:
            found.save(context)
    return taken


def unexplained(tracker: Any) -> dict[str, frozenset[tuple[str, str]]]:
    """Return servers that have devices here and may not need them.

    Those that are not on this host, and those with a device that is claimed
    only; Nova itself frees what it keeps for a resize. Asks nobody.

    :returns: address and state of each device, by UUID of the server
    """
    with _locked():
        resized = {
            server
            for server, migration in tracker.tracked_migrations.items()
            if migration.migration_type != fields.MigrationType.LIVE_MIGRATION
        }
        return {
            server: frozenset((d.address, d.status) for d in devices)
            for server, devices in _held(tracker).items()
            if server not in resized
            and (
                server not in tracker.tracked_instances
                or any(
                    d.status == fields.PciDeviceStatus.CLAIMED for d in devices
                )
            )
        }


def away(tracker: Any, servers: Iterable[str]) -> set[str]:
    """Return which of the servers are not on this host, for all it knows.

    One that has just arrived may be among them. Asks nobody.
    """
    with _locked():
        return set(servers).difference(tracker.tracked_instances)


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
