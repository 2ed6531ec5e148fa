# SPDX-License-Identifier: Apache-2.0
"""Put our driver in the place of Nova's, for Nova's own test suites.

Python imports this module by itself where its folder is on PYTHONPATH. When
nova.virt.libvirt.driver has been executed, its LibvirtDriver becomes ours, and
a service that cannot start ends it. When Nova's double of libvirt has been
executed, its domains can be asked for their state. No file of Nova or of its
tests is edited.
"""

from collections.abc import Callable
from collections.abc import Sequence
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from typing import Any

Change = Callable[[types.ModuleType], None]


class Finder(importlib.abc.MetaPathFinder):
    """Finds a module as usual, and adds to what is done when it runs."""

    def __init__(self, name: str, change: Change) -> None:
        self._name = name
        self._change = change

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module: types.ModuleType) -> None:
            execute(module)
            self._change(module)

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec


def _swap(module: types.ModuleType) -> None:
    from nova_pt_migrate.compute import driver

    ours, stock = driver.PassthroughLibvirtDriver, module.LibvirtDriver
    for name, value in vars(stock).items():
        # mock.patch with autospec wants static methods in the class itself.
        if isinstance(value, staticmethod) and name not in vars(ours):
            setattr(ours, name, value)
    module.LibvirtDriver = ours  # type: ignore[attr-defined]
    _end_with_service(ours)


def _end_with_service(ours: type) -> None:
    """End our driver with a service that cannot start.

    Its process would end as well; that of the tests goes on, and our thread
    would free devices in the next test's database.
    """
    from nova import service

    start = service.Service.start

    def start_or_end(self: service.Service) -> None:
        try:
            start(self)
        except Exception:
            driver = getattr(self.manager, 'driver', None)
            if isinstance(driver, ours):
                driver.cleanup_host(self.host)  # type: ignore[attr-defined]
            raise

    service.Service.start = start_or_end


def _let_tell_state(module: types.ModuleType) -> None:
    """Give Nova's fake domain virDomain.state, without a reason."""

    def state(domain: Any, flags: int = 0) -> list[int]:
        return [domain._state, 0]

    module.Domain.state = state


sys.meta_path[:0] = [
    Finder('nova.virt.libvirt.driver', _swap),
    Finder('nova.tests.fixtures.libvirt', _let_tell_state),
]
