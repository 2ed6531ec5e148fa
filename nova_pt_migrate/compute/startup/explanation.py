# SPDX-License-Identifier: Apache-2.0
"""Say in one sentence why nova-compute cannot start on this host."""

from typing import Any

from nova import exception
from nova.virt.libvirt import utils as libvirt_utils


def explain(exc: Exception, host: Any) -> str:
    """Return what Nova said, and what this host has where that is the cause.

    :param host: nova.virt.libvirt.host.Host
    """
    if isinstance(exc, exception.HypervisorUnavailable):
        return (
            f'libvirt does not answer at {host._uri}; start libvirtd (or '
            f'virtqemud), or correct [libvirt] connection_uri.'
        )
    if isinstance(exc, exception.InternalError):
        connection = host.get_connection()
        return (
            f'{exc} This host has libvirt '
            f'{_version(connection.getLibVersion())} and QEMU '
            f'{_version(connection.getVersion())}.'
        )
    return str(exc)


def _version(number: int) -> str:
    """Return libvirt's number for a version as people write it."""
    return str(
        libvirt_utils.version_to_string(
            (number // 1000000, number // 1000 % 1000, number % 1000)
        )
    )
