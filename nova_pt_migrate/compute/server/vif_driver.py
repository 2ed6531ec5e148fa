# SPDX-License-Identifier: Apache-2.0
"""Nova's VIF driver, for devices that are the primary of a standby.

libvirt is told of the pair in the device's element
(https://libvirt.org/formatdomain.html, "Teaming a virtio/hostdev NIC pair").
"""

from typing import Any

from lxml import etree
from nova.virt.libvirt import vif as libvirt_vif

from nova_pt_migrate.compute.pairs import paired_ports as coupling
from nova_pt_migrate.compute.pairs import standbys


class PairVIFDriver(libvirt_vif.LibvirtGenericVIFDriver):
    """Nova's, whose configurations name the standby where libvirt wants it."""

    def __init__(self, host: Any, couples: coupling.Couples) -> None:
        super().__init__(host)
        self._pt_couples = couples

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
        for couple in self._pt_couples.own(instance, [vif]):
            if couple.pairing.teaming:
                _team(config, standbys.alias(couple))
        return config


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
