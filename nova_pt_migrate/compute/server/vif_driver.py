# SPDX-License-Identifier: Apache-2.0
"""The host's side of a device, done by Nova's VIF driver.

Of one that is the primary of a standby libvirt is told in the device's element
(https://libvirt.org/formatdomain.html, "Teaming a virtio/hostdev NIC pair").
"""

from collections.abc import Iterable
from typing import Any

from lxml import etree
from nova.virt.libvirt import vif as libvirt_vif
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.pairs import paired_ports
from nova_pt_migrate.compute.pairs import standbys
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model

LOG = logging.getLogger(__name__)


class PairVIFDriver(libvirt_vif.LibvirtGenericVIFDriver):
    """Nova's, whose configurations name the standby where libvirt wants it."""

    def __init__(self, host: Any, finder: paired_ports.PairedPorts) -> None:
        super().__init__(host)
        self._pt_finder = finder

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
                '(trust mode); the next server that gets it has it set anew.',
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
