# SPDX-License-Identifier: Apache-2.0
"""The errors of libvirt that the double raises, worded as libvirt words them.

Codes and texts as in libvirt 11 (src/util/virerror.c, src/qemu/qemu_hotplug.c,
src/hypervisor/virhostdev.c, src/conf/domain_addr.c) and as seen with it.
"""

from nova.tests.fixtures import libvirt as fakelibvirt

OPERATION_ABORTED = 78
"""libvirt's VIR_ERR_OPERATION_ABORTED, which Nova's fixture lacks."""
OPERATION_FAILED = 9
"""libvirt's VIR_ERR_OPERATION_FAILED, likewise."""


def _error(
    code: int,
    prefix: str,
    text: str,
    domain: int = fakelibvirt.VIR_FROM_QEMU,
) -> Exception:
    message = f'{prefix}: {text}'
    error: Exception = fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError,
        message,
        error_code=code,
        error_message=message,
        error_domain=domain,
    )
    return error


def invalid(text: str) -> Exception:
    return _error(
        fakelibvirt.VIR_ERR_OPERATION_INVALID,
        'Requested operation is not valid',
        text,
    )


def internal(text: str) -> Exception:
    return _error(fakelibvirt.VIR_ERR_INTERNAL_ERROR, 'internal error', text)


def unsupported(text: str) -> Exception:
    return _error(
        fakelibvirt.VIR_ERR_CONFIG_UNSUPPORTED,
        'unsupported configuration',
        text,
    )


def not_modified(what: str) -> Exception:
    """See qemuDomainChangeNet."""
    return _error(
        fakelibvirt.VIR_ERR_OPERATION_UNSUPPORTED,
        'Operation not supported',
        f'cannot modify network device {what}',
    )


def missing(text: str) -> Exception:
    return _error(fakelibvirt.VIR_ERR_DEVICE_MISSING, 'device not found', text)


def unknown_interface(target: str) -> Exception:
    return _error(
        fakelibvirt.VIR_ERR_INVALID_ARG,
        'invalid argument',
        f"'{target}' is not a known interface",
    )


def no_domain(uuid: str) -> Exception:
    return _error(
        fakelibvirt.VIR_ERR_NO_DOMAIN,
        'Domain not found',
        f"no domain with matching uuid '{uuid}'",
    )


def in_use(address: str, domain: str) -> Exception:
    return invalid(
        f'PCI device {address} is in use by driver QEMU, domain {domain}'
    )


def unplug_pending(alias: str) -> Exception:
    return internal(
        f"unable to execute QEMU command 'device_del': Device {alias} is "
        f'already in the process of unplug'
    )


def double_address(address: str) -> Exception:
    return _error(
        fakelibvirt.VIR_ERR_XML_ERROR,
        'XML error',
        f'Attempted double use of PCI Address {address}',
    )


def locked(holder: str) -> Exception:
    return _error(
        fakelibvirt.VIR_ERR_OPERATION_TIMEOUT,
        'Timed out during operation',
        f'cannot acquire state change lock (held by monitor={holder})',
    )


def aborted() -> Exception:
    return _error(
        OPERATION_ABORTED,
        'operation aborted',
        "job 'migration out' canceled by client",
    )


def disconnected() -> Exception:
    """What a client gets whose libvirtd has ended (virnetclient.c)."""
    return _error(
        fakelibvirt.VIR_ERR_SYSTEM_ERROR,
        'End of file while reading data',
        'Input/output error',
        fakelibvirt.VIR_FROM_RPC,
    )


def peer_lost() -> Exception:
    """What qemuMigrationAnyCompleted says when the other libvirtd is gone."""
    return _error(
        OPERATION_FAILED,
        'operation failed',
        'Lost connection to destination host',
    )


def post_copy_failed() -> Exception:
    """What qemuMigrationJobCheckStatus says of a broken post-copy."""
    return _error(
        OPERATION_FAILED,
        'operation failed',
        "job 'migration out' failed in post-copy phase",
    )


def incoming() -> Exception:
    """What qemuDomainGetJobStatsInternal says at the destination."""
    return _error(
        fakelibvirt.VIR_ERR_OPERATION_UNSUPPORTED,
        'Operation not supported',
        'migration statistics are available only on the source host',
    )
