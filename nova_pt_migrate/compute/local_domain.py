# SPDX-License-Identifier: Apache-2.0
"""What libvirt of this host says of the domain of a server."""

from typing import Any

from nova import exception
from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.core import domain_words


def look(host: Any, instance: Any) -> domain_words.Domain:
    """Return it under its head; raises nothing.

    :param host: nova.virt.libvirt.host.Host
    :param instance: its ``uuid`` is what matters
    """
    libvirt = libvirt_driver.libvirt
    try:
        word = read(host, instance)
    except exception.InstanceNotFound:
        return domain_words.Domain.ABSENT
    except (exception.NovaException, libvirt.libvirtError):
        return domain_words.Domain.SILENT
    return domain_words.head(word)


def read(host: Any, instance: Any) -> domain_words.Word:
    """Return what libvirt says.

    The job is asked for first: without one nothing moves the guest between
    the two questions, while a state that is older than the job's end would
    show a guest that has moved as running.

    :raises nova.exception.InstanceNotFound: it does not know the domain
    :raises nova.exception.NovaException: it does not answer
    :raises libvirt.libvirtError: likewise
    """
    libvirt = libvirt_driver.libvirt
    guest = host.get_guest(instance)
    try:
        job = _job(guest)
        state, reason = guest._domain.state()
        active = bool(guest.is_active())
    except libvirt.libvirtError as exc:
        if exc.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            raise exception.InstanceNotFound(
                instance_id=instance.uuid
            ) from exc
        raise
    return domain_words.Word(active, int(state), int(reason), job)


def _job(guest: Any) -> int:
    """Return virDomainJobType, whichever way the guest goes."""
    libvirt = libvirt_driver.libvirt
    try:
        return int(guest.get_job_info().type)
    except libvirt.libvirtError as exc:
        if exc.get_error_code() == domain_words.UNSUPPORTED:
            return int(domain_words.Job.UNBOUNDED)
        raise
