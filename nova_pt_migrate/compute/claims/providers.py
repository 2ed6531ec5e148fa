# SPDX-License-Identifier: Apache-2.0
"""Let a server's PCI requests name the providers of its devices here.

The conductor fills them in for the destination, in the instance that travels,
and the destination saves them when the server has arrived
(nova/conductor/tasks/live_migrate.py, _find_destination). Where a migration
is ended with an instance that was read from the database, they are still
those of the source. The devices know their own, which are the same.
"""

from typing import Any

from nova_pt_migrate.compute.claims import pci_tracker

PROVIDERS = 'rp_uuids'
PARENT = 'parent_ifname'
"""Of a request's specification (nova/compute/utils.py:1583, 1608)."""
OF_DEVICE = 'rp_uuid'
"""Of a device (nova/compute/pci_placement_translator.py:368)."""


def follow(tracker: Any, instance: Any) -> None:
    """Change the instance's requests, where they name others; unsaved.

    Nothing is asked for a server that has no device here.

    :param tracker: nova.compute.resource_tracker.ResourceTracker
    :param instance: nova.objects.Instance that has arrived; Nova saves it
    :raises nova.exception.NovaException: the database does not answer
    """
    held = pci_tracker.held(tracker).get(instance.uuid)
    if not held:
        return
    for request in instance.pci_requests.requests:
        facts = [
            device.extra_info
            for device in held
            if device.request_id == request.request_id
        ]
        for spec in request.spec:
            for name, of_device in ((PROVIDERS, OF_DEVICE), (PARENT, PARENT)):
                found = [fact.get(of_device) for fact in facts]
                if name in spec and found and all(found):
                    named = found if name == PROVIDERS else found[:1]
                    spec[name] = ','.join(named)
