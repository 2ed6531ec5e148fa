# SPDX-License-Identifier: Apache-2.0
"""Other devices for those that this host's guest cannot be given.

A server has arrived, and its devices are allocated to it. Another device is
claimed and allocated as Nova does it, and the port then names it, in Neutron
as in Nova. The bad ones stay allocated until the end, since the tracker would
give them out again; then all but the one that the port names are freed.
"""

import contextlib
import copy
from typing import Any

from nova import exception
from nova.network import neutron
from nova.objects import instance_pci_requests
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import pci_tracker
from nova_pt_migrate.core import errors

LOG = logging.getLogger(__name__)


class Replacements:
    """Finds other devices for the ports of one server.

    :param compute: nova.compute.manager.ComputeManager of this host
    :param network_info: all VIFs of the server
    """

    def __init__(
        self, context: Any, instance: Any, compute: Any, network_info: Any
    ) -> None:
        self._context = context
        self._instance = instance
        self._tracker = compute.rt
        self._network_api = compute.network_api
        self._vifs = {
            vif['profile']['pci_slot']: vif
            for vif in network_info
            if (vif['profile'] or {}).get('pci_slot')
        }

    def strays(self) -> list[tuple[str, our_vifs.Vif]]:
        """Return second devices for a port, which it does not name.

        :returns: each with the VIF of the port, which has the first one;
            nova-compute may have ended while it exchanged them
        """
        held = self._held()
        by_request = {
            held[slot].request_id: vif
            for slot, vif in self._vifs.items()
            if slot in held and held[slot].request_id
        }
        return [
            (address, by_request[device.request_id])
            for address, device in held.items()
            if address not in self._vifs and device.request_id in by_request
        ]

    def claim(self, vif: our_vifs.Vif) -> our_vifs.Vif | None:
        """Return the VIF as it would be with another device, allocated.

        :returns: None if this host has no other one that fits
        """
        try:
            device = self._allocate(self._held()[vif['profile']['pci_slot']])
            if device is None:
                return None
            other = copy.deepcopy(vif)
            other['profile'].update(
                self._network_api._get_pci_device_profile(device)
            )
        except exception.PciDeviceRequestFailed:
            return None
        except Exception:
            LOG.exception(
                'No other device could be claimed for port %s',
                vif['id'], instance=self._instance,
            )  # fmt: skip
            return None
        return other

    def record(self, bad: our_vifs.Vif, other: our_vifs.Vif) -> None:
        """Let Neutron and Nova know that the port has the other device.

        :raises errors.HostError: they know the bad one still
        """
        try:
            self._tell_neutron(other)
        except Exception as exc:
            with contextlib.suppress(Exception):
                # It may have acted on what it did not answer.
                self._tell_neutron(bad)
            raise errors.HostError(
                f'Neutron does not take another device for port '
                f'{other["id"]}: {exc}'
            ) from exc
        del self._vifs[bad['profile']['pci_slot']]
        self._vifs[other['profile']['pci_slot']] = other
        try:
            self._network_api.get_instance_nw_info(
                self._context, self._instance
            )
        except Exception:
            LOG.exception(
                'Port %s has another device, and Nova could not read that '
                'from Neutron; it reads it again later',
                other['id'], instance=self._instance,
            )  # fmt: skip

    def finish(self) -> None:
        """Free all devices of a port but the one it names. Never raises."""
        try:
            held = self._held()
            for address, _ in self.strays():
                self._tracker.unclaim_pci_devices(
                    self._context, held[address], self._instance
                )
        except Exception:
            LOG.exception(
                'Devices of the server that it does not use stay allocated '
                'until it leaves this host', instance=self._instance,
            )  # fmt: skip

    def _tell_neutron(self, vif: our_vifs.Vif) -> None:
        neutron.get_client(self._context, admin=True).update_port(
            vif['id'], {'port': {'binding:profile': vif['profile']}}
        )

    def _allocate(self, bad: Any) -> Any:
        """Claim and allocate a device like the bad one."""
        requests = [
            request
            for request in self._instance.pci_requests.requests
            if request.request_id == bad.request_id and request.count == 1
        ]
        if not requests:
            return None
        (device,) = self._tracker.claim_pci_devices(
            self._context,
            instance_pci_requests.InstancePCIRequests(
                instance_uuid=self._instance.uuid, requests=requests
            ),
            self._topology(),
        )
        self._tracker.allocate_pci_devices_for_instance(
            self._context, self._instance
        )
        return device

    def _held(self) -> dict[str, Any]:
        held = pci_tracker.held(self._tracker).get(self._instance.uuid, [])
        return {device.address: device for device in held}

    def _topology(self) -> Any:
        """Return where the server's NUMA cells are on this host."""
        move = self._instance.migration_context
        return move.new_numa_topology if move else None
