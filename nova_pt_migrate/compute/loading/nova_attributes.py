# SPDX-License-Identifier: Apache-2.0
"""What of Nova is touched that has no parameters: attributes and statements.

Lines are those of nova 34.0.0. An attribute is there if the class has it, or
if one of its functions sets it on an object; a statement if the function still
has it word for word, but for spaces and comments. Either tells what a value is
made of that is handed to this driver or looked up by it.
"""

import ast
from collections.abc import Callable
from collections.abc import Iterator
import dis
import functools
import importlib
import inspect
import types
from typing import Any

ATTRIBUTES = {
    # nova/compute/manager.py:410, the way from the driver to the manager
    'nova.compute.manager:ComputeVirtAPI': ('_compute',),
    # manager.py:650 to 740; the endpoints are read when init_host has ended
    'nova.compute.manager:ComputeManager': (
        '_waiting_live_migrations', 'additional_endpoints', 'compute_rpcapi',
        'driver', 'host', 'network_api', 'reportclient', 'rt', 'volume_api',
    ),
    # compute/resource_tracker.py:86
    'nova.compute.resource_tracker:ResourceTracker': (
        'compute_nodes', 'host', 'pci_tracker', 'reportclient',
    ),
    # pci/manager.py:80
    'nova.pci.manager:PciDevTracker': (
        'allocations', 'claims', 'pci_devs', 'stats',
    ),
    # virt/libvirt/driver.py:482
    'nova.virt.libvirt.driver:LibvirtDriver': (
        '_host', 'active_migrations', 'vif_driver', 'virtapi',
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

STATEMENTS = {
    # manager.py:9440, from where the driver takes the mappings
    'nova.compute.manager:ComputeManager._do_live_migration': (
        'post_live_migration = functools.partial('
        'self._post_live_migration_update_host, source_bdms=source_bdms)'
    ),
    # manager.py:9502
    'nova.compute.manager:ComputeManager.live_migration': (
        'self._waiting_live_migrations[instance.uuid] = (migration, future)'
    ),
    # manager.py:8569 and 8709, the lock that keeps an operation alone
    'nova.compute.manager:ComputeManager.attach_interface': (
        "lockname = 'interface-%s-%s' % (instance.uuid, port_id)"
    ),
    'nova.compute.manager:ComputeManager.detach_interface': (
        "lockname = 'interface-%s-%s' % (instance.uuid, port_id)"
    ),
}


def missing() -> Iterator[str]:
    """Yield what this Nova has not, each as part of a sentence."""
    for path, names in ATTRIBUTES.items():
        known = _attributes(path)
        for name in names:
            if name not in known:
                yield f'{_shown(path)} has no attribute {name}'
    # What is read is large, and not looked at again.
    read = functools.cache(_tree)
    for path, statement in STATEMENTS.items():
        if ast.unparse(ast.parse(statement)) not in _statements(path, read):
            yield f'{_shown(path)} has no statement "{statement}"'


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


def _attributes(path: str) -> set[str]:
    """Return all that objects of a class may have, as far as it tells."""
    found: set[str] = set()
    for each in inspect.getmro(find(path) or type):
        found.update(vars(each))
        for function in vars(each).values():
            if isinstance(function, types.FunctionType):
                found.update(_set_by(inspect.unwrap(function)))
    return found


def _set_by(function: Any) -> Iterator[str]:
    for instruction in dis.get_instructions(function):
        if instruction.opname == 'STORE_ATTR':
            yield str(instruction.argval)


def _statements(path: str, read: Callable[[str], ast.AST]) -> set[str]:
    """Return the statements of a method, written in one way.

    It is looked for in the source: decorators of Nova hide it.

    :param read: gives the code of a module
    """
    module, _, name = path.partition(':')
    outer, _, inner = name.partition('.')
    return {
        ast.unparse(node)
        for each in _named(read(module), outer)
        for function in _named(each, inner)
        for node in ast.walk(function)
        if isinstance(node, ast.stmt)
    }


def _tree(module: str) -> ast.AST:
    """Return the code of a module; an empty one where its source is not."""
    try:
        source = inspect.getsource(importlib.import_module(module))
    except (ImportError, OSError):
        source = ''
    return ast.parse(source)


def _named(tree: ast.AST, name: str) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if getattr(node, 'name', None) == name:
            yield node


def _shown(path: str) -> str:
    return path.replace(':', '.')
