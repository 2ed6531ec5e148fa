# SPDX-License-Identifier: Apache-2.0
"""Bindings of ports to this host that an earlier migration has left.

Neutron binds a port to a host once and refuses it the second time (409), so
that what was left of one failure would refuse every later migration to this
host. Whoever asks whether a server can come holds the server's task state, so
no other migration needs what is found.
"""

from typing import Any

from nova.network import constants
from nova.network import neutron
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs

LOG = logging.getLogger(__name__)
INACTIVE = 'INACTIVE'
NONE_THERE = (400, 404)
"""Neutron's answers for a port that has none, is gone, or is no server's."""


def delete_left(instance: Any, host: str) -> None:
    """Delete the inactive bindings of a server's ports to this host.

    One that is active stays: the server may be here.

    :raises neutronclient.common.exceptions.NeutronClientException: Neutron
        does not answer; some may have been deleted
    """
    client = neutron.get_client(our_vifs.admin_context(), admin=True)
    for vif in instance.get_network_info():
        try:
            found = client.show_port_binding(vif['id'], host)['binding']
            if found['status'] == INACTIVE:
                LOG.info(
                    'Port %s has a binding to host %s that nobody needs; it '
                    'is deleted', vif['id'], host, instance=instance,
                )  # fmt: skip
                client.delete_port_binding(vif['id'], host)
        except neutron.neutron_client_exc.NeutronClientException as exc:
            if exc.status_code not in NONE_THERE:
                raise


def undo(compute: Any, context: Any, instance: Any) -> None:
    """Undo what prepared the ports of a server elsewhere for this host.

    Nova does so when it frees the devices; one call that fails is not
    repeated (nova/compute/manager.py:10214, 10338). It deletes the bindings
    last, so that nothing else is left where there are none. Neutron's filter
    by host counts inactive ones too (its plugins/ml2/plugin.py,
    _ml2_port_result_filter_hook).

    :param compute: nova.compute.manager.ComputeManager of this host
    :raises Exception: from Neutron; something may be left
    """
    bound = compute.network_api.list_ports(
        our_vifs.admin_context(),
        **{
            'device_id': instance.uuid,
            constants.BINDING_HOST_ID: compute.host,
            'fields': ['id'],
        },
    )
    if bound['ports']:
        compute.network_api.setup_networks_on_host(
            context, instance, compute.host, teardown=True
        )
