# SPDX-License-Identifier: Apache-2.0
"""What of Nova is touched that has no parameters: attributes and values.

Lines are those of nova 34.0.0. An attribute is there if the class has it, or
if one of its functions sets it on an object. What a value is made of that is
handed to this driver, or looked up by it, is seen in the code of the function
that makes it.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import dis
import importlib
import inspect
import types
from typing import Any

ATTRIBUTES = {
    # nova/compute/manager.py:410, the way from the driver to the manager
    'nova.compute.manager:ComputeVirtAPI': ('_compute',),
    # manager.py:650 to 740; the endpoints are read when init_host has ended
    'nova.compute.manager:ComputeManager': (
        '_pending_dest_live_migrations', '_shutdown_in_progress',
        '_waiting_live_migrations', 'additional_endpoints', 'driver',
        'host', 'network_api', 'reportclient', 'rt', 'volume_api',
    ),
    # compute/resource_tracker.py:86
    'nova.compute.resource_tracker:ResourceTracker': (
        'compute_nodes', 'host', 'pci_tracker', 'reportclient',
        'tracked_instances', 'tracked_migrations',
    ),
    # pci/manager.py:80
    'nova.pci.manager:PciDevTracker': (
        'allocations', 'claims', 'pci_devs', 'stats',
    ),
    # virt/libvirt/driver.py:482
    'nova.virt.libvirt.driver:LibvirtDriver': (
        '_device_event_handler', '_host', 'vif_driver',
        'virtapi',
    ),
    # virt/libvirt/guest.py:108
    'nova.virt.libvirt.guest:Guest': ('_domain',),
    # virt/libvirt/host.py:291
    'nova.virt.libvirt.host:Host': ('_uri',),
    # objects/migrate_data.py:40 and 241
    'nova.objects.migrate_data:VIFMigrateData': ('profile', 'source_vif'),
    'nova.objects.migrate_data:LibvirtLiveMigrateData': ('target_mdevs',),
    # objects/migration.py:68
    'nova.objects.migration:Migration': ('dest_compute', 'dest_node'),
}  # fmt: skip

CODE: Mapping[str, tuple[object, ...]] = {
    # manager.py:9440, from where the driver takes the mappings: a partial
    'nova.compute.manager:ComputeManager._do_live_migration': (
        '_post_live_migration_update_host', 'source_bdms', ('source_bdms',),
    ),
    # manager.py:9502, what is kept of each
    'nova.compute.manager:ComputeManager.live_migration': (
        'migration', 'future', 'BUILD_TUPLE',
    ),
    # manager.py:8569 and 8709, the lock that keeps an operation alone
    'nova.compute.manager:ComputeManager.attach_interface': (
        'interface-', 'instance', 'uuid',
    ),
    'nova.compute.manager:ComputeManager.detach_interface': (
        'interface-', 'instance', 'uuid',
    ),
}  # fmt: skip
"""Names, constants and operations that follow each other in a function."""


def missing() -> Iterator[str]:
    """Yield what this Nova has not, each as part of a sentence."""
    for path, names in ATTRIBUTES.items():
        cls = find(path)
        for name in names:
            if not _may_have(cls, name):
                yield f'{_shown(path)} has no attribute {name}'
    for path, wanted in CODE.items():
        if not _has(tuple(_code(path)), wanted):
            words = ', '.join(str(each) for each in wanted)
            yield f'{_shown(path)} does nothing with {words} any more'


def find(path: str) -> Any:
    """Return the part of Nova that a path names; None if there is none.

    :param path: module, colon, and names with dots between them
    """
    module, _, name = path.partition(':')
    try:
        part: Any = importlib.import_module(module)
        for attribute in name.split('.'):
            part = getattr(part, attribute)
    except (ImportError, AttributeError):
        return None
    return part


def _may_have(cls: Any, name: str) -> bool:
    """Tell whether objects of a class have an attribute, as it tells."""
    return any(
        name in vars(each)
        or any(_sets(function, name) for function in vars(each).values())
        for each in inspect.getmro(cls or type)
    )


def _sets(member: Any, name: str) -> bool:
    """True for a function that sets an attribute of that name."""
    if not isinstance(member, types.FunctionType):
        return False
    function = inspect.unwrap(member)
    return name in function.__code__.co_names and any(
        (each.opname, each.argval) == ('STORE_ATTR', name)
        for each in dis.get_instructions(function)
    )


def _code(path: str) -> Iterator[object]:
    """Yield what a function is made of, in order.

    Of what it loads that are names and constants, which hardly differ from
    one release of Python to the next.
    """
    function = _undecorated(find(path), path.rpartition('.')[2])
    for instruction in dis.get_instructions(function):
        value = instruction.argval
        if instruction.opcode in dis.hasconst:
            yield function.__code__.co_consts[instruction.arg or 0]
        elif not instruction.opname.startswith('LOAD_'):
            yield instruction.opname
        elif isinstance(value, tuple):
            # Two in one, since Python 3.13.
            yield from value
        else:
            yield value


def _has(found: tuple[object, ...], wanted: tuple[object, ...]) -> bool:
    ends = range(len(wanted), len(found) + 1)
    return any(found[end - len(wanted) : end] == wanted for end in ends)


def _undecorated(part: Any, name: str) -> Any:
    """Return the function of that name that decorators are around.

    Some of Nova's do not tell; each holds what it was put around.
    """
    around = [part]
    for function in around:
        if getattr(getattr(function, '__code__', None), 'co_name', '') == name:
            return function
        cells = getattr(function, '__closure__', None) or ()
        around += [
            cell.cell_contents
            for cell in cells
            if isinstance(cell.cell_contents, types.FunctionType)
        ]
    return _nothing


def _nothing() -> None:
    """Stand in for what is not there."""


def _shown(path: str) -> str:
    return path.replace(':', '.')
