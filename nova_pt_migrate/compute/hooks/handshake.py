# SPDX-License-Identifier: Apache-2.0
"""What the driver of the destination tells the driver of the source.

The two share no version, so the destination introduces itself: in the
pre-check and again when it is prepared it writes the protocols that it speaks
into a field that Nova carries to the source, the port profile in the migration
data. Nova makes that profile anew before Neutron gets it. A destination that
does not introduce itself runs Nova's own driver.
"""

from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.core import protocols
from nova_pt_migrate.core import text

LOG = logging.getLogger(__name__)

KEY = 'nova_pt_migrate'


def introduce(migrate_data: Any, spoken: protocols.Protocols) -> None:
    """Say on the destination what it speaks, in the port of a device."""
    for vif in our_vifs.owned_migrate_vifs(migrate_data)[:1]:
        vif.profile = {**vif.profile, KEY: [spoken.oldest, spoken.newest]}


def introduction(migrate_data: Any) -> protocols.Protocols | None:
    """Return what the destination speaks; None for Nova's own driver."""
    for vif in our_vifs.owned_migrate_vifs(migrate_data):
        said = vif.profile.get(KEY)
        if said is not None:
            return _protocols(vif.port_id, said)
    return None


def is_told(migrate_data: Any) -> bool:
    """Tell whether the destination is told when the guest has stopped."""
    there = introduction(migrate_data)
    return there is not None and there.newest >= protocols.TELLS


def arriving(migrate_data: Any) -> list[Any]:
    """Return the VIFMigrateData whose devices the destination expects.

    It expects them in the persistent XML. Nova's own driver expects none: it
    attaches them to both documents.
    """
    if introduction(migrate_data) is None:
        return []
    forget(migrate_data)
    return our_vifs.owned_migrate_vifs(migrate_data)


def forget(migrate_data: Any) -> None:
    """Take the introduction out again: nobody else must see it."""
    for vif in our_vifs.owned_migrate_vifs(migrate_data):
        if KEY in vif.profile:
            vif.profile = {
                key: value for key, value in vif.profile.items() if key != KEY
            }


def reasons(
    migrate_data: Any, spoken: protocols.Protocols, stock_allowed: bool
) -> list[str]:
    """Say on the source why its driver and the destination's do not fit.

    :param spoken: what the source speaks
    :param stock_allowed: a destination with Nova's own driver will do
    """
    there = introduction(migrate_data)
    if there is None:
        return [] if stock_allowed else [_STOCK]
    if there.newest < spoken.oldest:
        return [_TOO_OLD.format('destination', there, 'source', spoken)]
    if there.oldest > spoken.newest:
        return [_TOO_OLD.format('source', spoken, 'destination', there)]
    return []


def _protocols(port: str, said: Any) -> protocols.Protocols:
    """Read an introduction; one that is none speaks nothing we know."""
    try:
        oldest, newest = said
        return protocols.Protocols(int(oldest), int(newest))
    except (TypeError, ValueError):
        LOG.warning(
            'Port %s: the destination says that it speaks protocols %s, '
            'which are none; it is taken for too old', port, text.shown(said),
        )  # fmt: skip
        return protocols.Protocols(0, 0)


# Nova cuts what it shows to users after 255 characters, its own included.
_STOCK = (
    'The destination lacks nova-pt-migrate: install it there, or choose '
    'another host (see [pt_migrate] allow_stock_destination).'
)
_TOO_OLD = (
    'nova-pt-migrate on the {0} host is too old for the {2}: upgrade it, or '
    'choose another host (protocols {1} and {3}).'
)
