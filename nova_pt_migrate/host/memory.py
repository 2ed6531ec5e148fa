# SPDX-License-Identifier: Apache-2.0
"""The memory of this host, as its kernel sees it."""

import pathlib
import re

from nova_pt_migrate.core import errors

MEMINFO = pathlib.Path('/proc/meminfo')


def available_mib() -> int:
    """Return what can be had of ordinary pages without swapping.

    What the guests on this host have touched is not in it, nor is the shared
    memory of any, nor huge pages, used or not.

    :raises errors.HostError: the kernel does not say
    """
    try:
        text = MEMINFO.read_text()
    except OSError as exc:
        raise errors.HostError(
            f'looking at free memory failed: {exc}'
        ) from exc
    found = re.search(r'^MemAvailable:\s+(\d+) kB$', text, re.MULTILINE)
    if found is None:
        raise errors.HostError(f'{MEMINFO} has no MemAvailable')
    return int(found[1]) // 1024
