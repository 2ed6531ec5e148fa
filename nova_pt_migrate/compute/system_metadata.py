# SPDX-License-Identifier: Apache-2.0
"""All that is kept in a server's system metadata, by the begin of its keys.

Nova takes values of 255 characters. The keys outlive versions of this driver
and are never renamed.
"""

from collections.abc import Mapping
from typing import Any

ORIGINALS = 'pt_migrate_'
"""What the source knows and the destination overwrites."""
BONDS = 'pt_bond_'
"""Bonds that this driver has made in the guest, by MAC address."""
LONGEST = 255


def read(instance: Any, prefix: str) -> dict[str, str]:
    """Return what is kept below a prefix, by the rest of each key."""
    return {
        key.removeprefix(prefix): value
        for key, value in instance.system_metadata.items()
        if key.startswith(prefix)
    }


def replace(instance: Any, prefix: str, values: Mapping[str, str]) -> None:
    """Keep these values below a prefix and no others; saved if that is new.

    :raises nova.exception.NovaException: the database does not answer; the
        instance has the values, the database has not
    """
    metadata = {
        key: value
        for key, value in instance.system_metadata.items()
        if not key.startswith(prefix)
    } | {prefix + name: value for name, value in values.items()}
    if metadata != instance.system_metadata:
        instance.system_metadata = metadata
        instance.save()
