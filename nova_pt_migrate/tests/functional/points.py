# SPDX-License-Identifier: Apache-2.0
"""The names of the calls that leave a nova-compute."""

from collections.abc import Callable
import inspect
from typing import Any

from nova.db.main import api as database


class Client:
    """A Neutron client each of whose calls is a point."""

    def __init__(self, client: Any, point: Callable[..., Any]) -> None:
        self._client = client
        self._point = point

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def called(*args: Any, **kwargs: Any) -> Any:
            with self._point('neutron', name):
                return found(*args, **kwargs)

        return called


def transactions() -> list[str]:
    """Return the names of what Nova does in one transaction each.

    A nova-compute asks the conductor for each of these.
    """
    return [
        name
        for name, function in vars(database).items()
        if hasattr(function, '__wrapped__')
        and function.__module__ == database.__name__
        and next(iter(inspect.signature(function).parameters), '') == 'context'
    ]


def path(name: str, *args: Any) -> str:
    """Return verb and kind of resource of a request to placement."""
    url = next((arg for arg in args if isinstance(arg, str)), '')
    return f'{name} /{url.strip("/").split("?")[0].split("/")[0]}'
