# SPDX-License-Identifier: Apache-2.0
"""Check ``[pci] device_spec`` against the devices that this host has."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import json
from typing import Any

from nova import exception
from nova.pci import whitelist
from oslo_log import log as logging

from nova_pt_migrate.core import errors

LOG = logging.getLogger(__name__)


def refuse_wrong(
    device_spec: Sequence[str],
    list_devices: Callable[[], str],
    list_known: Callable[[], list[dict[str, Any]]],
) -> None:
    """Warn of entries that fit no device; refuse those that must.

    :param list_devices: gives Nova's JSON list of this host's PCI devices
    :param list_known: gives those that the database has for this host
    :raises nova.exception.InvalidConfiguration: naming the entry
    """
    if not device_spec:
        return
    try:
        warnings = check(device_spec, json.loads(list_devices()), list_known)
    except errors.CannotStart as exc:
        raise exception.InvalidConfiguration(str(exc)) from exc
    for warning in warnings:
        LOG.warning('nova-compute starts all the same: %s', warning)


def check(
    device_spec: Sequence[str],
    devices: Iterable[dict[str, Any]],
    list_known: Callable[[], list[dict[str, Any]]] = list,
) -> list[str]:
    """Look whether each entry names a device of this host.

    Hosts of one cloud often share nova.conf, so an entry by vendor and
    product that fits none of this host's devices is only worth a warning. An
    entry that names one device of this very host and is wrong is an error,
    unless the device was here before: a broken device must not take the host
    with it.

    :param devices: as Nova's libvirt driver reports them
    :param list_known: gives those that were here before
    :returns: warnings, one sentence each
    :raises errors.CannotStart: naming the entry
    """
    present = list(devices)
    warnings = []
    for text in device_spec:
        spec = whitelist.Whitelist([text])
        if any(_fits(spec, device) for device in present):
            continue
        sentence = (
            f'[pci] device_spec = {text} names no PCI device of this host; '
            f'allowed is what "lspci -Dnn" shows, and VFs exist only once '
            f'sriov_numvfs of their PF is set.'
        )
        if _names_one_device(text) and not any(
            _fits(spec, device) for device in list_known()
        ):
            raise errors.CannotStart(sentence)
        warnings.append(sentence)
    return warnings


def as_listed(device: Any) -> dict[str, Any]:
    """Return what Nova's libvirt driver reports of a device.

    :param device: nova.objects.PciDevice
    """
    return {
        key: getattr(device, key)
        for key in (
            'address', 'vendor_id', 'product_id', 'dev_type', 'parent_addr',
        )
    }  # fmt: skip


def _fits(spec: whitelist.Whitelist, device: dict[str, Any]) -> bool:
    return spec.device_assignable(device) is not None


def _names_one_device(text: str) -> bool:
    """True for an exact address or a netdev, not for a pattern."""
    entries = json.loads(text)
    for entry in entries if isinstance(entries, list) else [entries]:
        address = entry.get('address', '')
        if isinstance(address, str) and address and '*' not in address:
            return True
        if entry.get('devname'):
            return True
    return False
