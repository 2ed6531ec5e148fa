# SPDX-License-Identifier: Apache-2.0
"""What all hooks have in common: Nova's driver, and one attribute of ours."""

from collections.abc import Callable
import functools
import inspect
from typing import Any
from typing import TypeVar

from nova.virt.libvirt import driver as libvirt_driver

from nova_pt_migrate.compute import services

Hook = TypeVar('Hook', bound=Callable[..., Any])


class Hooks(libvirt_driver.LibvirtDriver):
    """Nova's driver, whose overridden methods reach what is ours by ``_pt``.

    :ivar _pt: set when Nova's constructor has ended
    """

    _pt: services.Services


def operation(what: str) -> Callable[[Hook], Hook]:
    """Let a hook that Nova calls for a server end what nobody asked for.

    Its signature stays as it is; one parameter is named ``instance``.

    :param what: Nova does with the server, in words
    """

    def decorate(hook: Hook) -> Hook:
        signature = inspect.signature(hook)

        @functools.wraps(hook)
        def taking_over(self: Hooks, *args: Any, **kwargs: Any) -> Any:
            given = signature.bind(self, *args, **kwargs).arguments
            with self._pt.owners.operation(given['instance'].uuid, what):
                return hook(self, *args, **kwargs)

        # Nova compares signatures without looking behind a wrapper.
        taking_over.__signature__ = signature  # type: ignore[attr-defined]
        taking_over.operation = what  # type: ignore[attr-defined]
        return taking_over  # type: ignore[return-value]

    return decorate
