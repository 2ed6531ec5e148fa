# SPDX-License-Identifier: Apache-2.0
"""The host's side of a device, done by Nova's own VIF driver."""

from collections.abc import Iterable
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model

LOG = logging.getLogger(__name__)


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
