# SPDX-License-Identifier: Apache-2.0
"""What nova-api accepts in a flavor; entry point of Nova's own validation."""

from nova.api.validation.extra_specs import base

from nova_pt_migrate.compute.pairs import choices
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import pairs


def register() -> list[base.ExtraSpecValidator]:
    """Return the validators, as ``nova.api.extra_spec_validators`` wants."""
    return [
        base.ExtraSpecValidator(
            name=choices.PAIRING,
            description=(
                'How each pass-through NIC of the server and its standby are '
                'one link for the guest: ``failover`` by the guest\'s kernel, '
                '``bond`` by a bond in the guest, ``none`` without a standby.'
            ),
            value={'type': str, 'enum': plugins.available()},
        ),
        base.ExtraSpecValidator(
            name=choices.STANDBY,
            description=(
                'Whether a server may live-migrate without a standby that '
                'can carry its traffic: not if it is ``required``.'
            ),
            value={'type': str, 'enum': [need.value for need in pairs.Need]},
        ),
        base.ExtraSpecValidator(
            name=choices.BOND,
            description=(
                'Who makes the bond of pairing ``bond``: the guest when it '
                'first boots (``prepare``), its administrator '
                '(``observe``), or the compute host through the guest agent '
                '(``manage``).'
            ),
            value={'type': str, 'enum': [way.value for way in pairs.Way]},
        ),
        base.ExtraSpecValidator(
            name=choices.NOTICE,
            description=(
                'Seconds between the event ``pt_migrate_notice`` and the '
                'unplug of devices that have no standby, so that whoever '
                'reads it can let the guest act.'
            ),
            value={'type': int, 'min': 0, 'max': choices.LONGEST_NOTICE},
        ),
    ]
