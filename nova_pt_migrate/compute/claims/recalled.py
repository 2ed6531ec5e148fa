# SPDX-License-Identifier: Apache-2.0
"""Which VIF a device is for that an earlier nova-compute has set aside.

Its records know the device, the server and the request that it answers. The
same request got the server its device on the host where it is, and that one is
in the profile of a port.
"""

import contextlib
import copy
from typing import Any

from nova import exception
from nova import objects
from nova.network import model as network_model
from nova.objects import fields
from nova.pci import request as pci_request

from nova_pt_migrate.compute import our_vifs


def vif_of(device: Any) -> our_vifs.Vif | None:
    """Return the VIF as it would be plugged here.

    Where nobody knows any more what a VF was for it is taken for that of a
    trusted port, so that no other server finds it trusted.

    :param device: nova.objects.PciDevice of this host
    :returns: None for a device that no VIF driver has to do with
    :raises nova.exception.NovaException: the database does not answer
    """
    context = our_vifs.admin_context().elevated(read_deleted='yes')
    try:
        instance = objects.Instance.get_by_uuid(
            context,
            device.instance_uuid,
            expected_attrs=['info_cache', 'pci_devices', 'pci_requests'],
        )
    except exception.InstanceNotFound:
        return _unknown(device)
    for vif in instance.get_network_info():
        if _request_of(context, instance, vif) == device.request_id:
            found = copy.deepcopy(vif)
            found['profile']['pci_slot'] = device.address
            return found
    of_flavor = any(
        request.request_id == device.request_id and request.alias_name
        for request in instance.pci_requests.requests
    )
    return None if of_flavor else _unknown(device)


def _request_of(context: Any, instance: Any, vif: our_vifs.Vif) -> str | None:
    with contextlib.suppress(exception.PciRequestFromVIFNotFound):
        request = pci_request.get_instance_pci_request_from_vif(
            context, instance, vif
        )
        return request.request_id if request else None
    return None


def _unknown(device: Any) -> our_vifs.Vif | None:
    if device.dev_type != fields.PciDeviceType.SRIOV_VF:
        return None
    return network_model.VIF(
        type=network_model.VIF_TYPE_HW_VEB,
        vnic_type=network_model.VNIC_TYPE_DIRECT,
        profile={'pci_slot': device.address, 'trusted': 'true'},
    )
