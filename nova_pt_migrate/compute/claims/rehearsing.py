# SPDX-License-Identifier: Apache-2.0
"""The VFs that were claimed are tried before anything is changed elsewhere.

Not the PFs of ports of VNIC type ``direct-physical``: the host loses its
netdev, and all that is set there, when one is taken from its driver.
"""

from typing import Any

from nova.network import model as network_model

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.host import rehearsal


def reasons(
    rehearser: rehearsal.Rehearsal, host: str, migrate_data: Any
) -> list[str]:
    """Say why no guest can get the VFs claimed for the ports of a server.

    What to do comes first: Nova shows users 255 characters.

    :param host: this one
    :param migrate_data: with devices that are held here for the server
    :returns: one sentence for all of them, or none
    """
    wanted = {
        vif.profile['pci_slot']: vif.port_id
        for vif in our_vifs.owned_migrate_vifs(migrate_data)
        if vif.source_vif['vnic_type'] == network_model.VNIC_TYPE_DIRECT
    }
    unfit = [
        f'{device} for port {wanted[device]}: {why}'
        for device, why in rehearser.run(wanted).items()
    ]
    if not unfit:
        return []
    return [
        f'Host {host} cannot hand devices to guests: repair that, or '
        f'choose another host. {"; ".join(unfit)}.'
    ]
