# SPDX-License-Identifier: Apache-2.0
"""Look a server up that may be deleted by now."""

from typing import Any

from nova import exception
from nova import objects


def find(context: Any, server: str) -> Any:
    """Return a server as it is now; None if it is deleted.

    :param server: its UUID
    :returns: nova.objects.Instance, with its information cache
    :raises nova.exception.NovaException: the database does not answer
    """
    try:
        return objects.Instance.get_by_uuid(
            context, server, expected_attrs=['info_cache']
        )
    except exception.InstanceNotFound:
        return None
