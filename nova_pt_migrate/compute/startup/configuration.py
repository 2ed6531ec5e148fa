# SPDX-License-Identifier: Apache-2.0
"""From nova.conf to values, with one sentence for whatever is wrong."""

from collections.abc import Iterator
import dataclasses
import pathlib
from typing import Any

from oslo_config import cfg

from nova_pt_migrate import conf as options
from nova_pt_migrate.core import errors
from nova_pt_migrate.core import uplinks


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Group ``[pt_migrate]`` of nova.conf; times in seconds."""

    unplug_timeout: float
    unplug_retry_interval: float
    plug_timeout: float
    plug_timeout_per_gib: float
    claim_lease_interval: float
    allow_stock_destination: bool
    pairings: tuple[str, ...]
    standby: str
    bond: str
    guest_networks: tuple[str, ...]
    standby_uplinks: dict[str, uplinks.Uplink]
    mac_filters: str
    agent_timeout: float

    def plug_deadline(self, memory_gib: float) -> float:
        """Return how long one plug may take for a guest of this size."""
        return self.plug_timeout + self.plug_timeout_per_gib * memory_gib


def load(conf: cfg.ConfigOpts) -> Settings:
    """Register the options with ``conf`` and read them.

    :raises errors.CannotStart: naming option, value and what is allowed
    """
    options.register_opts(conf)
    known = {opt.name: opt for opt in options.OPTS}
    for path, name, value in _written(conf):
        if name not in known:
            raise errors.CannotStart(
                f'[pt_migrate] {name} = {value} in {path}: there is no such '
                f'option; allowed are {", ".join(known)}.'
            )
        try:
            known[name].type(value)
        except ValueError as exc:
            raise errors.CannotStart(
                f'[pt_migrate] {name} = {value} in {path}: allowed is '
                f'{_allowed(known[name])}.'
            ) from exc
    values = {name: conf[options.GROUP.name][name] for name in known}
    for name in ('pairings', 'guest_networks'):
        values[name] = tuple(values[name])
    values['standby_uplinks'] = uplinks.read(values['standby_uplinks'])
    return Settings(**values)


def _allowed(opt: cfg.Opt) -> str:
    """Say in words what an option takes; a list cannot be wrong."""
    if isinstance(opt, cfg.BoolOpt):
        return 'true or false'
    if isinstance(opt, cfg.DictOpt):
        return 'a list of <physical network>:<kind>/<netdev>'
    kind: Any = opt.type
    if getattr(kind, 'choices', None):
        return ' or '.join(kind.choices)
    return f'a number from {kind.min:g} to {kind.max:g}'


def _written(conf: cfg.ConfigOpts) -> Iterator[tuple[str, str, str]]:
    """Yield file, name and value of each option written in the group.

    oslo.config passes over what nobody registered, so that a misspelt option
    would silently keep its default.
    """
    for path in _files(conf):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(str(path), sections).parse()
        for name, values in sections.get(options.GROUP.name, {}).items():
            yield str(path), name, values[-1]


def _files(conf: cfg.ConfigOpts) -> list[pathlib.Path]:
    files = [pathlib.Path(path) for path in conf.config_file or ()]
    for folder in conf.config_dir or ():
        files += sorted(pathlib.Path(folder).glob('*.conf'))
    return [path for path in files if path.is_file()]
