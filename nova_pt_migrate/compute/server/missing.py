# SPDX-License-Identifier: Apache-2.0
"""Pass-through devices that are not ours, detached and attached by Nova."""

from typing import Any

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.server import factory as compute_servers


def attach_missing(
    driver: Any,
    servers: compute_servers.Servers,
    context: Any,
    instance: Any,
    network_info: Any,
) -> None:
    """Have Nova attach those of them that the guest lacks.

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
