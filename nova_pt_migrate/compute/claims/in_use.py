# SPDX-License-Identifier: Apache-2.0
"""Devices in use that Nova has freed are taken back.

A periodic task of Nova frees the devices of every server that is neither here
nor on its way (nova/pci/manager.py, clean_usage). It reads the servers first
and the migrations afterwards (nova/compute/resource_tracker.py,
_update_available_resource), so one that arrives in between is in neither, and
what its guest has is given to the next server. Nothing of Nova's takes it
back.

What was allocated at one look and is not at the next is looked at. Until then
another server may claim it, and gets none: libvirt refuses a device that a
domain has (src/hypervisor/virhostdev.c, virHostdevPreparePCIDevices), which
ends a boot here, and a migration in the rehearsal of its devices.
"""

from collections.abc import Iterable
from typing import Any

from nova.objects import fields
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute import records
from nova_pt_migrate.compute.claims import pci_tracker

LOG = logging.getLogger(__name__)


class InUse:
    """What servers of this host have, as it was at the last look.

    :param compute: gives nova.compute.manager.ComputeManager of this host
    """

    def __init__(self, compute: Any) -> None:
        self._compute = compute
        self._seen: dict[str, set[str]] = {}

    def expect(self, server: str, addresses: Iterable[str]) -> None:
        """Let a server have devices, by the word of its ports.

        :param server: its UUID
        """
        self._seen.setdefault(server, set()).update(addresses)

    def forget(self, server: str) -> None:
        """Let a server lose all, since its guest is not here any more.

        :param server: its UUID
        """
        self._seen.pop(server, None)

    def check(self, context: Any) -> None:
        """Take back what servers here have lost since the last look.

        Asks the database for servers only that have lost something.

        :raises nova.exception.NovaException: the database does not answer;
            it is tried again at the next look
        """
        compute = self._compute()
        now = {
            server: {
                device.address
                for device in devices
                if device.status == fields.PciDeviceStatus.ALLOCATED
            }
            for server, devices in pci_tracker.held(compute.rt).items()
        }
        for server, seen in list(self._seen.items()):
            lost = seen - now.get(server, set())
            if lost:
                now[server] = now.get(server, set()) | self._look(
                    context, compute, server, lost
                )
        self._seen = now

    def _look(
        self, context: Any, compute: Any, server: str, lost: set[str]
    ) -> set[str]:
        """Return which of the devices are the server's, or may be."""
        instance = records.find(context, server)
        if instance is None:
            return set()
        if instance.task_state is not None:
            # It may be about to arrive, or to lose them by right.
            return lost
        if instance.host != compute.host:
            return set()
        requests = {
            request.requester_id: request.request_id
            for request in instance.pci_requests.requests
        }
        used = {
            vif['profile']['pci_slot']: requests.get(vif['id'])
            for vif in our_vifs.owned(instance.get_network_info())
            if vif['profile']['pci_slot'] in lost
        }
        taken = pci_tracker.take_back(context, compute.rt, server, used)
        for address in sorted(set(used) - set(taken)):
            LOG.error(
                'Device %s is in use here, and is set aside for another '
                'server, which cannot get it', address, instance=instance,
            )  # fmt: skip
        return set(used)
