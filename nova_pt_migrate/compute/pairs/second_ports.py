# SPDX-License-Identifier: Apache-2.0
"""Which ordinary port of a server is the standby of a pass-through port.

The user says so with the device tag that Nova keeps for a port, from when it
is attached until it is detached; ports without such a tag find each other.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from nova.network import model as network_model
from nova.objects import virtual_interface
from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs

LOG = logging.getLogger(__name__)
TAG = 'pt-standby:'
"""How the tag of a standby begins; the pass-through port's UUID follows."""
SHORTEST = 11
"""Characters of a UUID that name a port, as in the names of its netdevs."""

Names = Mapping[str, str]
"""What the tag of a port names, by the UUID of the port."""


def named(instance: Any) -> Names:
    """Return what the tags of a server's ports name; one query.

    Where the database does not answer, nothing is named: what is under way
    must come to its end.
    """
    try:
        found = virtual_interface.VirtualInterfaceList.get_by_instance_uuid(
            our_vifs.admin_context(), instance.uuid
        )
    except Exception as exc:
        LOG.warning(
            'The device tags of the server are not known, so that its ports '
            'are paired in their order: %s', exc, instance=instance,
        )  # fmt: skip
        return {}
    tags = {vif.uuid: vif.tag or '' for vif in found if 'tag' in vif}
    return {
        port: tag.removeprefix(TAG).lower()
        for port, tag in tags.items()
        if tag.startswith(TAG)
    }


def find(
    vif: our_vifs.Vif, vifs: Iterable[our_vifs.Vif], names: Callable[[], Names]
) -> our_vifs.Vif | None:
    """Return the ordinary port that is the standby of a pass-through port.

    It is one of the same network. The ports whose tag names one come first;
    of the others each pass-through port takes one, in the order of the ports.

    :param names: called only where there is something to choose
    """
    network = vif['network']['id']
    here = [other for other in vifs if other['network']['id'] == network]
    ordinary = {
        other['id']: other
        for other in here
        if other['vnic_type'] == network_model.VNIC_TYPE_NORMAL
    }
    direct = [other['id'] for other in our_vifs.owned(here)]
    if not ordinary:
        return None
    tags = names() if len(ordinary) > 1 or len(direct) > 1 else {}
    taken: dict[str, str] = {}
    for port in ordinary:
        owner = _begins(tags.get(port, ''), direct)
        if owner is not None:
            taken.setdefault(owner, port)
    left = [port for port in ordinary if port not in taken.values()]
    alone = [port for port in direct if port not in taken]
    taken |= dict(zip(alone, left, strict=False))
    return ordinary.get(taken.get(vif['id'], ''))


def around(
    given: Iterable[our_vifs.Vif], beside: Iterable[our_vifs.Vif]
) -> list[our_vifs.Vif]:
    """Return all ports of a server in their order, each once."""
    known = {vif['id']: vif for vif in given}
    return [known.pop(vif['id'], vif) for vif in beside] + [*known.values()]


def _begins(word: str, direct: Iterable[str]) -> str | None:
    """Return the port that a tag names; None for none, or for several."""
    if len(word) < SHORTEST:
        return None
    found = [port for port in direct if port.startswith(word)]
    return found[0] if len(found) == 1 else None
