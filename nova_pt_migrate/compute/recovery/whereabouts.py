# SPDX-License-Identifier: Apache-2.0
"""Ask both hosts of a migration where the guest is."""

from typing import Any

from nova import context as nova_context
from nova import exception
from nova.virt.libvirt import driver as libvirt_driver
import oslo_messaging

from nova_pt_migrate.core import whereabouts


def on_source(host: Any, instance: Any) -> whereabouts.Source:
    """Return what libvirt of this host says; raises nothing.

    :param host: nova.virt.libvirt.host.Host
    """
    libvirt = libvirt_driver.libvirt
    try:
        guest = host.get_guest(instance)
        active = guest.is_active()
        job = guest.get_job_info().type if active else None
    except exception.InstanceNotFound:
        return whereabouts.Source.ABSENT
    except exception.NovaException:
        return whereabouts.Source.SILENT
    except libvirt.libvirtError as exc:
        if exc.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return whereabouts.Source.ABSENT
        return whereabouts.Source.SILENT
    if not active:
        return whereabouts.Source.OFF
    if job == libvirt.VIR_DOMAIN_JOB_COMPLETED:
        return whereabouts.Source.MOVED
    if job != libvirt.VIR_DOMAIN_JOB_NONE:
        return whereabouts.Source.MOVING
    return whereabouts.Source.RUNNING


def on_destination(
    driver: Any, instance: Any, destination: str
) -> whereabouts.Destination:
    """Ask the destination's nova-compute, with a call that Nova has.

    Diagnostics are given of a running guest only
    (nova/compute/manager.py:7114).
    """
    there = instance.obj_clone()
    there.host = destination
    try:
        driver.virtapi._compute.compute_rpcapi.get_instance_diagnostics(
            nova_context.get_admin_context(), there
        )
    except exception.InstanceInvalidState:
        return whereabouts.Destination.NOT_RUNNING
    except (exception.NovaException, oslo_messaging.MessagingException):
        return whereabouts.Destination.SILENT
    return whereabouts.Destination.RUNNING
