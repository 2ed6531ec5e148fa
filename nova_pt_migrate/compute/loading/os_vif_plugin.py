# SPDX-License-Identifier: Apache-2.0
"""The os-vif plug-in through which Nova finds the driver.

nova-compute initialises os-vif, and with it every plug-in, before it imports
the class that ``compute_driver`` names below ``nova.virt``
(nova/cmd/compute.py main, nova/virt/driver.py load_compute_driver). Other
programs use os-vif too, so nothing of Nova is imported here.
"""

import difflib
import importlib
import pathlib
import sys
from typing import Any
from typing import Self

from os_vif import plugin
from os_vif.objects import host_info
from os_vif.objects import vif as osv_vif
from oslo_config import cfg
from oslo_log import log as logging

from nova_pt_migrate.compute.loading import driver_class
from nova_pt_migrate.compute.startup import failure
from nova_pt_migrate.core import uplinks
from nova_pt_migrate.host import links

LOG = logging.getLogger(__name__)

MODULE = 'pt_migrate'
KINDS: dict[Any, uplinks.Kind] = {
    osv_vif.VIFBridge: uplinks.Kind.BRIDGE,
    osv_vif.VIFOpenVSwitch: uplinks.Kind.OVS,
    osv_vif.VIFGeneric: uplinks.Kind.MACVTAP,
}
"""What a standby hangs on, by the type of VIF that says so."""
_DIRECTORY = pathlib.Path(__file__).parent / 'nova_virt'


class PtMigratePlugin(plugin.PluginBase):
    """Makes ``nova.virt.pt_migrate`` importable, and plugs our standbys."""

    @classmethod
    def load(cls, plugin_name: str) -> Self:
        """Extend ``nova.virt`` if this is a process of Nova.

        Raises nothing: it would end every program that uses os-vif. Only
        nova-compute is stopped, if it asks for a driver that is not there.
        """
        try:
            if 'nova' in sys.modules:
                _extend(importlib.import_module('nova.virt'))
            if 'nova.cmd.compute' in sys.modules:
                _check_name(cfg.CONF)
        except Exception:
            LOG.exception(
                'nova_pt_migrate cannot extend nova.virt, so compute_driver '
                '= pt_migrate.PassthroughLibvirtDriver will not be found'
            )
        return super().load(plugin_name)  # type: ignore[no-any-return]

    def describe(self) -> host_info.HostPluginInfo:
        """Name what our driver lets it plug; Nova itself asks for nothing."""
        return host_info.HostPluginInfo(
            plugin_name=MODULE,
            vif_info=[
                host_info.HostVIFInfo(
                    vif_object_name=kind.__name__,
                    min_version='1.0',
                    max_version='1.0',
                )
                for kind in KINDS
            ],
        )

    def plug(self, vif: Any, instance_info: Any) -> None:
        """Make the netdev of a standby, which is off.

        :raises nova_pt_migrate.core.errors.HostError: there is none
        """
        links.HostLinks().make(
            links.NewLink(
                name=vif.vif_name,
                mac=vif.address,
                kind=KINDS[type(vif)],
                on=vif.network.bridge_interface,
                vlan=vif.network.vlan,
                mtu=vif.network.mtu,
                guarded=not vif.has_traffic_filtering,
                port=vif.id,
                server=instance_info.uuid,
            )
        )

    def unplug(self, vif: Any, instance_info: Any) -> None:
        """Delete the netdev of a standby.

        :raises nova_pt_migrate.core.errors.HostError: it may still be there
        """
        links.HostLinks().remove(vif.vif_name, KINDS[type(vif)])


def _check_name(conf: cfg.ConfigOpts) -> None:
    """Stop nova-compute where it asks for our driver by a wrong module.

    Nova would end as well, with a traceback that names nothing to correct.
    """
    module, _, name = (conf.compute_driver or '').rpartition('.')
    if module != MODULE and (
        name == driver_class.DRIVER
        or difflib.get_close_matches(module, [MODULE])
    ):
        failure.stop(
            f'[DEFAULT] compute_driver = {conf.compute_driver}: there is no '
            f'such driver; allowed is {MODULE}.{driver_class.DRIVER}.'
        )


def _extend(package: Any) -> None:
    directory = str(_DIRECTORY)
    if directory not in package.__path__:
        package.__path__.append(directory)
