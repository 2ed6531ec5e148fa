# SPDX-License-Identifier: Apache-2.0
"""Tell those who can help that it cannot be told where a guest is."""

from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from nova_pt_migrate.compute import local_domain
from nova_pt_migrate.compute.notifications import actions
from nova_pt_migrate.core import domain_words
from nova_pt_migrate.core import reasons
from nova_pt_migrate.core import whereabouts

LOG = logging.getLogger(__name__)


class Undecided:
    """What was found of one migration, each time that it was looked at."""

    def __init__(self) -> None:
        self._last: whereabouts.Finding | None = None
        self._told = False

    def note(
        self,
        found: whereabouts.Finding,
        instance: Any,
        told: Callable[[], actions.Story],
    ) -> None:
        """Tell once of what was found twice, if a human has to look.

        :param told: makes the story of the request
        """
        if (
            found.guest is whereabouts.Guest.STUCK
            and found == self._last
            and not self._told
        ):
            tell(told(), instance, found)
            self._told = True
        self._last = found


def note_broken(told: actions.Story, host: Any, instance: Any) -> None:
    """Tell of a migration that has ended in post-copy.

    libvirt's job stays, and Nova's monitor watches it without a word.

    :param host: nova.virt.libvirt.host.Host on the source
    """
    source = local_domain.look(host, instance)
    if source is domain_words.Domain.BROKEN:
        tell(
            told,
            instance,
            whereabouts.Finding(whereabouts.Guest.STUCK, source),
        )


def tell(
    told: actions.Story, instance: Any, found: whereabouts.Finding
) -> None:
    """Tell the operator by the log, and the user by an event."""
    LOG.warning(
        'It cannot be told where the guest of the live migration is whole: '
        '%s. Nothing is changed on either host until it can.', found,
        instance=instance,
    )  # fmt: skip
    told.tell(
        reasons.Failure(
            reasons.Reason.UNDECIDED,
            f'it cannot be told where the guest is whole: {found}',
        )
    )
