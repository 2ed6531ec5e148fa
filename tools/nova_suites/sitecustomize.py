# SPDX-License-Identifier: Apache-2.0
"""Put our driver in the place of Nova's, for Nova's own test suites.

Python imports this module by itself where its folder is on PYTHONPATH. When
nova.virt.libvirt.driver has been executed, its LibvirtDriver becomes ours, and
a service that cannot start ends it; no file of Nova or of its tests is edited.
"""

from collections.abc import Sequence
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

TARGET = 'nova.virt.libvirt.driver'


class Swap(importlib.abc.MetaPathFinder):
    """Finds the module as usual, and adds to what is done when it runs."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != TARGET:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_swap(module: types.ModuleType) -> None:
            execute(module)
            _swap(module)

        spec.loader.exec_module = execute_and_swap  # type: ignore[method-assign]
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


sys.meta_path.insert(0, Swap())
