# SPDX-License-Identifier: Apache-2.0
"""Load the plug-ins that nova.conf names, all of them or none."""

from collections.abc import Sequence
import functools
import importlib.metadata
from typing import Any

from stevedore import named

from nova_pt_migrate.core import errors
from nova_pt_migrate.guest.networks import contract as networks_contract
from nova_pt_migrate.pairing import contract

PAIRINGS = 'nova_pt_migrate.pairings'
NETWORKS = 'nova_pt_migrate.guest_networks'
Pairings = dict[str, contract.Pairing]
"""By name, in the order of ``[pt_migrate] pairings``."""
Networks = dict[str, networks_contract.GuestNetwork]
"""By name, in the order of ``[pt_migrate] guest_networks``."""


def available() -> list[str]:
    """Return the names of all pairings that are installed."""
    return sorted(_available(PAIRINGS))


def pairings(names: Sequence[str]) -> Pairings:
    """Return the pairings of ``[pt_migrate] pairings``.

    :raises errors.CannotStart: if a name is given twice, is provided by no
        package or by two, or what provides it cannot be imported
    """
    return _load(PAIRINGS, 'pairings', names)


def networks(names: Sequence[str]) -> Networks:
    """Return the network managers of ``[pt_migrate] guest_networks``.

    :raises errors.CannotStart: if a name is given twice, is provided by no
        package or by two, or what provides it cannot be imported
    """
    return _load(NETWORKS, 'guest_networks', names)


def _load(group: str, option: str, names: Sequence[str]) -> dict[str, Any]:
    available = _available(group)
    for name in names:
        _check(option, name, names, available)
    manager: Any = named.NamedExtensionManager(
        group,
        names=list(names),
        name_order=True,
        invoke_on_load=True,
        on_load_failure_callback=functools.partial(_broken, option),
    )
    return {extension.name: extension.obj for extension in manager}


def _available(group: str) -> dict[str, set[str]]:
    """Return what provides each name of an entry point group."""
    available: dict[str, set[str]] = {}
    for entry_point in importlib.metadata.entry_points(group=group):
        available.setdefault(entry_point.name, set()).add(entry_point.value)
    return available


def _check(
    option: str,
    name: str,
    names: Sequence[str],
    available: dict[str, set[str]],
) -> None:
    where = f'[pt_migrate] {option} = {",".join(names)}'
    if names.count(name) > 1:
        raise errors.CannotStart(
            f'{where}: {name} is there twice; name each once.'
        )
    if name not in available:
        raise errors.CannotStart(
            f'{where}: no installed package provides {name}; allowed are '
            f'{", ".join(sorted(available)) or "none at all"}.'
        )
    if len(available[name]) > 1:
        raise errors.CannotStart(
            f'{where}: {name} is provided twice, by '
            f'{" and by ".join(sorted(available[name]))}; uninstall one of '
            f'them.'
        )


def _broken(
    option: str, _manager: Any, entry_point: Any, exc: BaseException
) -> None:
    raise errors.CannotStart(
        f'[pt_migrate] {option}: {entry_point.name} ({entry_point.value}) '
        f'cannot be loaded ({type(exc).__name__}: {exc}); repair or '
        f'uninstall the package that provides it, or leave the name out.'
    )
