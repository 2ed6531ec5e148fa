# SPDX-License-Identifier: Apache-2.0
"""Which pairing each pass-through port of a server has, and who said so.

The operator's word for one port comes first (``pt_migrate_pairing`` in its
``binding:profile``, which only administrators may write), then the flavor's
extra specs, then nova.conf.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import enum
import re
from typing import Any
from typing import TypeVar

from oslo_log import log as logging

from nova_pt_migrate.compute import our_vifs
from nova_pt_migrate.core import pairs
from nova_pt_migrate.core import text

LOG = logging.getLogger(__name__)
PAIRING = 'pt_migrate:pairing'
STANDBY = 'pt_migrate:standby'
BOND = 'pt_migrate:bond'
NOTICE = 'pt_migrate:notice'
LONGEST_NOTICE = 600
"""Seconds; meanwhile devices of the destination are set aside for it."""
OF_PORT = 'pt_migrate_pairing'
Word = TypeVar('Word', bound=enum.StrEnum)
_NUMBER = re.compile(r'[0-9]{1,9}')


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """How one port is to be paired.

    :ivar pairing: name of the plug-in
    :ivar standby: how much its standby matters
    :ivar bond: who makes the bond, where there is one
    """

    pairing: str
    standby: pairs.Need
    bond: pairs.Way


def choose(
    vif: our_vifs.Vif,
    extra_specs: Mapping[str, str],
    default: Choice,
    known: Iterable[str],
) -> Choice:
    """Return the choice for a port.

    A word that nobody knows is passed over with a warning: the flavor may
    have been made before its extra specs were validated.

    :param default: of nova.conf
    :param known: the pairings that this host may use
    """
    pairing = default.pairing
    for where, word in (
        (f'extra spec {PAIRING}', extra_specs.get(PAIRING)),
        ('its binding:profile', (vif['profile'] or {}).get(OF_PORT)),
    ):
        if word is None:
            continue
        if word in known:
            pairing = word
        else:
            LOG.warning(
                'Port %s: %s asks for pairing %s, which [pt_migrate] pairings '
                'does not name; %s is used.',
                vif['id'], where, text.shown(word), pairing,
            )  # fmt: skip
    return Choice(
        pairing=pairing,
        standby=_word(vif, pairs.Need, extra_specs, STANDBY, default.standby),
        bond=_word(vif, pairs.Way, extra_specs, BOND, default.bond),
    )


def without_pair(instance: Any, vifs: Iterable[our_vifs.Vif]) -> list[str]:
    """Say of each port that has to have a pair, and can have none, which.

    Those with hardware offload can have none. What nova.conf says is not
    meant for them: they migrate as with Nova's own driver.

    :param vifs: all of a server
    """
    offloaded = our_vifs.offloaded(vifs)
    if not offloaded:
        return []
    extra_specs = instance.flavor.extra_specs
    wanted = extra_specs.get(PAIRING, pairs.NO_PAIR)
    if extra_specs.get(STANDBY) == pairs.Need.NONE or wanted == pairs.NO_PAIR:
        return []
    return [
        f'Port {vif["id"]} has hardware offload (switchdev), and pairing '
        f'{text.shown(wanted)} of its flavor is for other ports: choose a '
        f'flavor with {PAIRING}={pairs.NO_PAIR}, or a port without offload.'
        for vif in offloaded
    ]


def notice(instance: Any) -> int:
    """Return the seconds before a device without a standby is unplugged.

    What is no such number is passed over with a warning, as the flavor may
    have been made before its extra specs were validated.
    """
    word = instance.flavor.extra_specs.get(NOTICE, '0')
    if not _NUMBER.fullmatch(word) or int(word) > LONGEST_NOTICE:
        LOG.warning(
            'Extra spec %s = %s is no number from 0 to %s; 0 is used.',
            NOTICE, text.shown(word), LONGEST_NOTICE, instance=instance,
        )  # fmt: skip
        return 0
    return int(word)


def _word(
    vif: our_vifs.Vif,
    words: type[Word],
    extra_specs: Mapping[str, Any],
    key: str,
    default: Word,
) -> Word:
    word = extra_specs.get(key)
    if word is None:
        return default
    try:
        return words(word)
    except ValueError:
        LOG.warning(
            'Port %s: extra spec %s = %s is not one of %s; %s is used.',
            vif['id'], key, text.shown(word), ', '.join(words), default,
        )  # fmt: skip
        return default
