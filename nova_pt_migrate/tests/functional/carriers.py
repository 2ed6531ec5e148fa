# SPDX-License-Identifier: Apache-2.0
"""What a guest sees of the links of its standbys."""

from collections.abc import Callable
from typing import Any

from nova_pt_migrate.core import pairs
from nova_pt_migrate.testing import documents


def check(
    links: Any, machine: Any, equal: Callable[[Any, Any, str], None]
) -> None:
    """See that what is off at the host is down in the guest.

    By QEMU and by libvirt, and that it is off at the next start.

    :param links: the netdevs of its host
    :param machine: the domain, which is active
    :param equal: raises if two things differ, naming them
    """
    for name in documents.targets(machine.live):
        if not name.startswith(pairs.PREFIX):
            continue
        on = links.links[name].up
        equal(on, name not in machine.carriers.down, f'link of {name} in QEMU')
        equal(
            on,
            documents.is_linked(machine.live, name),
            f'link of {name} by libvirt',
        )
        equal(
            False,
            documents.is_linked(machine.persistent, name),
            f'link of {name} at the next start',
        )
