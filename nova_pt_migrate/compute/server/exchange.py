# SPDX-License-Identifier: Apache-2.0
"""Give a port another device where its own is unfit, in all records.

The records come first, so that whoever reads them later, after a failure or a
restart, finds the device that the guest has or is to have.
"""

import dataclasses
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.compute.claims import replacements
from nova_pt_migrate.core import course as courses
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import interfaces
from nova_pt_migrate.core import model
from nova_pt_migrate.core import reasons

LOG = logging.getLogger(__name__)


def exchange(
    instance: Any,
    domain: interfaces.Domain,
    xml_of: our_vifs.XmlOf,
    others: replacements.Replacements,
    vifs: list[our_vifs.Vif],
    failures: dict[str, reasons.Failure],
    course: courses.Course,
) -> list[our_vifs.Vif]:
    """Exchange the devices of the VIFs, as far as there are others.

    Never raises: a device that cannot be exchanged stays in the records.

    :param vifs: those whose devices are unfit
    :param failures: loses the sentences of devices that were exchanged
    :param course: which plugs the others next
    :returns: the VIFs with other devices
    """
    exchanged = []
    for vif in vifs:
        address = vif['profile']['pci_slot']
        other = others.claim(vif)
        if other is None:
            continue
        try:
            new, kept = _record(domain, xml_of, others, vif, other)
        except errors.HostError as exc:
            failures[address] = dataclasses.replace(
                failures[address], text=f'{failures[address]} ({exc})'
            )
            continue
        LOG.error(
            'Device %s cannot be plugged: %s. The server gets %s instead; '
            'see what is wrong with the first.',
            address, failures.pop(address), new.address,
            instance=instance,
        )  # fmt: skip
        course.exchange(address, new, kept)
        exchanged.append(other)
    return exchanged


def reconcile(
    domain: interfaces.Domain,
    xml_of: our_vifs.XmlOf,
    others: replacements.Replacements,
) -> None:
    """Let the persistent XML have what the ports name, after a crash.

    :raises errors.HostError: libvirt does not answer
    """
    for address, vif in others.strays():
        (device,) = our_vifs.devices([vif], xml_of)
        if device.address not in domain.observe().persistent:
            domain.exchange(address, device.xml)


def _record(
    domain: interfaces.Domain,
    xml_of: our_vifs.XmlOf,
    others: replacements.Replacements,
    vif: our_vifs.Vif,
    other: our_vifs.Vif,
) -> tuple[model.Device, str | None]:
    """Let the persistent XML, Neutron and Nova have the other device.

    :returns: it, and its element in the persistent XML, if that had the old
    :raises errors.HostError: they have the old one
    """
    (old,) = our_vifs.devices([vif], xml_of)
    (new,) = our_vifs.devices([other], xml_of)
    kept = domain.exchange(old.address, new.xml)
    try:
        others.record(vif, other)
    except errors.HostError:
        domain.exchange(new.address, old.xml)
        raise
    return new, kept
