# SPDX-License-Identifier: Apache-2.0
"""Activate the bindings of a server's ports to the host that it runs on now.

Nova asks for each binding before it activates it, and takes one that is not
there for the sign that there are no others (nova/network/neutron.py,
migrate_instance_start): a port that was deleted meanwhile would leave others
without network. Here Neutron is asked nothing as long as all goes well.
"""

from typing import Any

from nova.network import neutron
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.server import lost_ports

LOG = logging.getLogger(__name__)
ALREADY_ACTIVE = 409


def activate(
    compute: Any, context: Any, instance: Any, migration: Any
) -> None:
    """Activate them at the destination, of all ports that there are.

    :param compute: nova.compute.manager.ComputeManager of this host
    :param migration: nova.objects.Migration
    :raises nova.exception.PortBindingActivationFailed: some may be active
    """
    try:
        lost_ports.complete(compute, instance)
    except Exception as exc:
        LOG.warning(
            'Ports may be missing in the network information of the server, '
            'which could not be read again: %s', exc, instance=instance,
        )  # fmt: skip
    if not _activate_all(instance, migration.dest_compute):
        lost_ports.correct(compute, instance)
        compute.network_api.migrate_instance_start(
            context, instance, migration
        )


def _activate_all(instance: Any, host: str) -> bool:
    """Activate all that can be.

    :returns: False if one could not be: its port may be gone, or Neutron does
        not answer
    """
    done = True
    for vif in instance.get_network_info():
        try:
            client = neutron.get_client(our_vifs.admin_context(), admin=True)
            client.activate_port_binding(vif['id'], host)
        except Exception as exc:
            if getattr(exc, 'status_code', None) == ALREADY_ACTIVE:
                continue
            LOG.info(
                'The binding of port %s to host %s could not be activated: %s',
                vif['id'], host, exc, instance=instance,
            )  # fmt: skip
            done = False
    return done
