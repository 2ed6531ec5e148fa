# SPDX-License-Identifier: Apache-2.0
"""Devices that are missing: ours on the host, those of others in the guest.

libvirt does not start a domain with a PCI device that the host has not, so a
server whose VF is gone would be kept from running. It starts on its other
ports; what is missing is plugged when it is there again.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import threading
from typing import Any

from nova.network import model as network_model
from nova.virt.libvirt import driver as libvirt_driver
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.server import factory

LOG = logging.getLogger(__name__)


class MissingDevices:
    """Finds the devices of ours that this host lacks.

    :param look_up: finds a node device by libvirt's name for it
    :param note: has a server looked after until it lacks nothing
    """

    def __init__(
        self, look_up: Callable[[str], Any], note: Callable[[str], None]
    ) -> None:
        self._look_up = look_up
        self._note = note
        self._starting = threading.local()

    @contextlib.contextmanager
    def left_out(self, instance: Any, network_info: Any) -> Iterator[None]:
        """What this thread starts in the context is without them.

        :raises libvirt.libvirtError: libvirt does not answer
        """
        self._starting.without = self._found(instance, network_info)
        try:
            yield
        finally:
            self._starting.without = []

    def startable(self, network_info: Any) -> Any:
        """Return what a server is started with by this thread."""
        return our_vifs.without(
            network_info, getattr(self._starting, 'without', [])
        )

    def present(self, instance: Any, network_info: Any) -> Any:
        """Return the VIFs whose device is there, or is none of ours.

        :raises libvirt.libvirtError: libvirt does not answer
        """
        return our_vifs.without(
            network_info, self._found(instance, network_info)
        )

    def _found(self, instance: Any, network_info: Any) -> list[our_vifs.Vif]:
        """Return the VIFs whose device is not there, to be plugged later."""
        if not isinstance(network_info, network_model.NetworkInfo):
            # Whoever has none to give.
            return []
        left = missing(network_info, self._look_up)
        for vif in left:
            LOG.error(
                'Device %s of port %s is not on this host. The server starts '
                'without it; it is plugged when it is there again.',
                vif['profile']['pci_slot'], vif['id'], instance=instance,
            )  # fmt: skip
        if left:
            self._note(instance.uuid)
        return left


def missing(
    network_info: Any, look_up: Callable[[str], Any]
) -> list[our_vifs.Vif]:
    """Return the VIFs of ours whose device libvirt does not know.

    :param look_up: finds a node device by libvirt's name for it
    :raises libvirt.libvirtError: libvirt does not answer
    """
    left = []
    for vif in our_vifs.owned(network_info):
        name = vif['profile']['pci_slot'].translate({58: '_', 46: '_'})
        try:
            look_up(f'pci_{name}')
        except libvirt_driver.libvirt.libvirtError as exc:
            if exc.get_error_code() != (
                libvirt_driver.libvirt.VIR_ERR_NO_NODE_DEVICE
            ):
                raise
            left.append(vif)
    return left


def attach_others(
    driver: Any,
    servers: factory.Servers,
    context: Any,
    instance: Any,
    network_info: Any,
) -> None:
    """Have Nova attach those pass-through devices, not ours, that are missing.

    :param driver: Nova's libvirt driver
    :raises Exception: as Nova's attach does; the rest was not attached
    """
    vifs = our_vifs.left_to_nova(network_info)
    if not vifs:
        return
    guest = driver._host.get_guest(instance)
    for vif in vifs:
        if guest.get_interface_by_cfg(servers.config(instance, vif)) is None:
            driver.attach_interface(
                context, instance, instance.image_meta, vif
            )
