# SPDX-License-Identifier: Apache-2.0
"""The host's side of a device, done by Nova's VIF driver.

Of one that is the primary of a standby libvirt is told in the device's element
(https://libvirt.org/formatdomain.html, "Teaming a virtio/hostdev NIC pair").
"""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from lxml import etree
from nova import exception
from nova import objects
from nova.virt.libvirt import vif as libvirt_vif
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import prepared
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.pairs import standbys
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model

LOG = logging.getLogger(__name__)


class PairVIFDriver(libvirt_vif.LibvirtGenericVIFDriver):
    """Nova's, whose configurations name the standby where libvirt wants it.

    It never unplugs the device of another server: Nova unplugs VIFs by the
    addresses that they have where they are bound, and that may be another
    host, whose addresses are as good as those of this one.

    :param name: of this host
    :param holder: gives the UUID of the server that a device of this host is
        set aside for, by its address
    :ivar pt_prepared: what was set up for servers that are not here yet
    """

    def __init__(
        self,
        host: Any,
        finder: paired_ports.PairedPorts,
        name: str,
        holder: Callable[[str], str | None],
    ) -> None:
        super().__init__(host)
        self._pt_finder = finder
        self._pt_name = name
        self._pt_holder = holder
        self.pt_prepared = prepared.Prepared(self._pt_undo)

    def get_config(
        self,
        instance: Any,
        vif: Any,
        image_meta: Any,
        flavor: Any,
        virt_type: Any,
    ) -> Any:
        """Return Nova's configuration, with the name of the standby."""
        config = super().get_config(
            instance, vif, image_meta, flavor, virt_type
        )
        for paired in self._pt_finder.own(instance, [vif]):
            if paired.pairing.teaming:
                _team(config, standbys.alias(paired))
        return config

    def plug(self, instance: Any, vif: Any) -> None:
        """Plug as Nova does, on a VF that nothing of another server is on.

        :raises nova.exception.VirtualInterfacePlugException: there is, and
            it cannot be undone
        """
        try:
            self.pt_prepared.make_way(instance.uuid, our_vifs.address(vif))
        except Exception as exc:
            raise exception.VirtualInterfacePlugException(
                f'device {our_vifs.address(vif)} was prepared for another '
                f'server, and cannot be set back: {exc}'
            ) from exc
        super().plug(instance, vif)

    def unplug(self, instance: Any, vif: Any) -> None:
        """Unplug as Nova does, if the device is this server's on this host."""
        address = our_vifs.address(vif)
        if address is None:
            super().unplug(instance, vif)
        elif self.pt_prepared.owner(address) == instance.uuid:
            self.pt_prepared.take_down(instance.uuid, address=address)
        elif self._pt_has(instance, address):
            super().unplug(instance, vif)
        else:
            LOG.info(
                'Device %s of port %s is left as it is on this host, where '
                'it is not this server\'s', address, vif['id'],
                instance=instance,
            )  # fmt: skip

    def _pt_has(self, instance: Any, address: str) -> bool:
        owner = self.pt_prepared.owner(address) or self._pt_holder(address)
        if owner is None:
            return bool(instance.host == self._pt_name)
        return bool(owner == instance.uuid)

    def _pt_undo(self, vif: Any) -> None:
        """Unplug the VIF of a server that does not come.

        :raises Exception: as Nova's, for a device that is there
        """
        try:
            super().unplug(objects.Instance(), vif)
        except exception.PciDeviceNotFoundById:
            LOG.info(
                'Device %s is gone from this host, with what was set on it',
                our_vifs.address(vif),
            )


class VifWiring:
    """Provides :class:`core.interfaces.Wiring` for the VIFs of one server.

    :param vif_driver: nova.virt.libvirt.vif.LibvirtGenericVIFDriver
    """

    def __init__(
        self, vif_driver: Any, instance: Any, vifs: Iterable[our_vifs.Vif]
    ) -> None:
        self._vif_driver = vif_driver
        self._instance = instance
        self._vifs = {vif['id']: vif for vif in vifs}

    def exchange(self, vif: our_vifs.Vif) -> None:
        """A port has another device now, as its VIF says."""
        self._vifs[vif['id']] = vif

    def connect(self, device: model.Device) -> None:
        """See :meth:`core.interfaces.Wiring.connect`."""
        try:
            self._vif_driver.plug(self._instance, self._vifs[device.port])
        except Exception as exc:
            raise errors.UnfitDevice(
                f'the VIF driver could not prepare it: {exc}'
            ) from exc

    def disconnect(self, device: model.Device) -> None:
        """See :meth:`core.interfaces.Wiring.disconnect`."""
        try:
            self._vif_driver.unplug(self._instance, self._vifs[device.port])
        except Exception:
            LOG.exception(
                'Device %s of port %s keeps what Nova set on it on this host '
                '(trust mode); Nova tries again when the server leaves.',
                device.address, device.port, instance=self._instance,
            )  # fmt: skip


def _team(config: Any, standby: str) -> None:
    """Let a configuration of Nova's format one element more."""
    plain = config.format_dom

    def format_dom() -> Any:
        element = plain()
        etree.SubElement(
            element, 'teaming', type='transient', persistent=standby
        )
        return element

    config.format_dom = format_dom
