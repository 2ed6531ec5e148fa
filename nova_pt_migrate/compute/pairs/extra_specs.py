# SPDX-License-Identifier: Apache-2.0
"""What nova-api accepts in a flavor; entry point of Nova's own validation."""

from typing import Any

from nova.api.validation.extra_specs import base

from nova_pt_migrate.compute.pairs import choices
from nova_pt_migrate.compute.startup import plugins
from nova_pt_migrate.core import pairs


def register() -> list[base.ExtraSpecValidator]:
    """Return the validators, as ``nova.api.extra_spec_validators`` wants."""
    return [
        base.ExtraSpecValidator(name=name, description=text, value=value)
        for name, text, value in (
            (choices.PAIRING, _PAIRING, _one_of(plugins.available())),
            (choices.STANDBY, _STANDBY, _one_of(pairs.Need)),
            (choices.BOND, _BOND, _one_of(pairs.Way)),
            (
                choices.NOTICE,
                _NOTICE,
                {'type': int, 'min': 0, 'max': choices.LONGEST_NOTICE},
            ),
        )
    ]


def _one_of(words: Any) -> dict[str, Any]:
    return {'type': str, 'enum': [str(word) for word in words]}


_PAIRING = (
    'How each pass-through NIC of the server and its standby are one link '
    'for the guest: ``failover`` by the guest\'s kernel, ``bond`` by a bond '
    'in the guest, ``none`` without a standby.'
)
_STANDBY = (
    'Whether a server may live-migrate without a standby that can carry its '
    'traffic: not if it is ``required``.'
)
_BOND = (
    'Who makes the bond of pairing ``bond``: the guest when it first boots '
    '(``prepare``), its administrator (``observe``), or the compute host '
    'through the guest agent (``manage``).'
)
_NOTICE = (
    'Seconds between the event ``pt_migrate_notice`` and the unplug of '
    'devices that have no standby, so that whoever reads it can let the '
    'guest act.'
)
