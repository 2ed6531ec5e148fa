# SPDX-License-Identifier: Apache-2.0
"""The VFs that were claimed are tried before anything is changed elsewhere.

Not the PFs of ports of VNIC type ``direct-physical``: the host loses its
netdev, and all that is set there, when one is taken from its driver.
"""

from typing import Any

from nova.network import model as network_model

from nova_pt_migrate.compute import claims
from nova_pt_migrate.compute import ports
from nova_pt_migrate.host import rehearsal


def reasons(
    rehearser: rehearsal.Rehearsal,
    tracker: Any,
    instance: Any,
    migrate_data: Any,
) -> list[str]:
    """Say why no guest can get the VFs claimed for the ports of a server.

    What to do comes first: Nova shows users 255 characters.

    :param migrate_data: with the devices that Nova has just claimed
    :returns: one sentence for all of them, or none
    """
    wanted = _claimed(tracker, instance, migrate_data)
    unfit = [
        f'{device} for port {wanted[device]}: {why}'
        for device, why in rehearser.run(wanted).items()
    ]
    if not unfit:
        return []
    return [
        f'Host {tracker.host} cannot hand devices to guests: repair that, or '
        f'choose another host. {"; ".join(unfit)}.'
    ]


def _claimed(tracker: Any, instance: Any, migrate_data: Any) -> dict[str, str]:
    """Return the ports of the VFs by the VFs' host PCI addresses.

    A profile that Nova has not written here has the source's device, so the
    tracker is asked as well.
    """
    here = {
        device.address
        for device in claims.held(tracker).get(instance.uuid, [])
    }
    return {
        vif.profile['pci_slot']: vif.port_id
        for vif in ports.owned_migrate_vifs(migrate_data)
        if vif.source_vif['vnic_type'] == network_model.VNIC_TYPE_DIRECT
        and vif.profile.get('pci_slot') in here
    }
