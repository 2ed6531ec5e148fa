# SPDX-License-Identifier: Apache-2.0
"""From what was found and what is wanted to the steps between them."""

from nova_pt_migrate.core import errors
from nova_pt_migrate.core import model
from nova_pt_migrate.core import steps


def plan(found: model.Found, wanted: model.Wanted) -> tuple[steps.Step, ...]:
    """Return the steps that turn ``found`` into ``wanted``.

    Pure. Empty when there is nothing to do, so that it can be asked again
    at any time: after a failure, after a restart, or only to look. What keeps
    the record comes first: the persistent XML tells later what the guest must
    have, and at which of its PCI addresses.

    :raises errors.HostError: if a device in the live domain has no alias,
        which libvirt gives to every device of an active domain
    """
    if not found.active:
        return ()
    keep = tuple(
        steps.Keep(device, found.live[device.address].xml)
        for device in wanted.devices
        if device.address in found.live
        and device.address not in found.persistent
    )
    if wanted.place is model.Place.LEAVING:
        return keep + tuple(
            _unplug(device, found.live[device.address])
            for device in wanted.devices
            if device.address in found.live
        )
    return keep + tuple(
        _plug(device, found.persistent.get(device.address))
        for device in wanted.devices
        if device.address not in found.live
    )


def _unplug(device: model.Device, live: model.FoundDevice) -> steps.Unplug:
    if live.alias is None:
        raise errors.HostError(
            f'device {device.address} of port {device.port} has no alias in '
            f'the live XML'
        )
    return steps.Unplug(device, live.alias)


def _plug(device: model.Device, kept: model.FoundDevice | None) -> steps.Plug:
    """The persistent XML's element has the guest's PCI address: prefer it."""
    if kept is None:
        return steps.Plug(device, device.xml, persist=True)
    return steps.Plug(device, kept.xml, persist=False)
