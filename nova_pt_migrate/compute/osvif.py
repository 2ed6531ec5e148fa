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
from oslo_config import cfg
from oslo_log import log as logging

from nova_pt_migrate.compute import ending
from nova_pt_migrate.compute import loading

LOG = logging.getLogger(__name__)

MODULE = 'pt_migrate'
_DIRECTORY = pathlib.Path(__file__).parent / 'nova_virt'


class PtMigratePlugin(plugin.PluginBase):
    """Makes ``nova.virt.pt_migrate`` importable; plugs no interfaces yet."""

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
        """Name no VIF type: Nova never asks this plug-in to plug one."""
        return host_info.HostPluginInfo(plugin_name='pt_migrate', vif_info=[])

    def plug(self, vif: Any, instance_info: Any) -> None:
        """Refuse: no VIF type is described."""
        raise NotImplementedError(f'pt_migrate does not plug {vif!r}')

    def unplug(self, vif: Any, instance_info: Any) -> None:
        """Refuse: no VIF type is described."""
        raise NotImplementedError(f'pt_migrate does not unplug {vif!r}')


def _check_name(conf: cfg.ConfigOpts) -> None:
    """Stop nova-compute where it asks for our driver by a wrong module.

    Nova would end as well, with a traceback that names nothing to correct.
    """
    module, _, name = (conf.compute_driver or '').rpartition('.')
    if module != MODULE and (
        name == loading.DRIVER or difflib.get_close_matches(module, [MODULE])
    ):
        ending.stop(
            f'[DEFAULT] compute_driver = {conf.compute_driver}: there is no '
            f'such driver; allowed is {MODULE}.{loading.DRIVER}.'
        )


def _extend(package: Any) -> None:
    directory = str(_DIRECTORY)
    if directory not in package.__path__:
        package.__path__.append(directory)
