# SPDX-License-Identifier: Apache-2.0
"""From nova.conf to values, with one sentence for whatever is wrong."""

import dataclasses
import pathlib
from collections.abc import Iterator

from oslo_config import cfg

from nova_pt_migrate import conf as options
from nova_pt_migrate.core import errors


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Group ``[pt_migrate]`` of nova.conf; times in seconds."""

    unplug_timeout: float
    unplug_retry_interval: float
    plug_timeout: float
    plug_timeout_per_gib: float
    pairings: tuple[str, ...]

    def plug_deadline(self, memory_gib: float) -> float:
        """Return how long one plug may take for a guest of this size."""
        return self.plug_timeout + self.plug_timeout_per_gib * memory_gib


def load(conf: cfg.ConfigOpts) -> Settings:
    """Register the options with ``conf`` and read them.

    :raises errors.CannotStart: naming option, value and what is allowed
    """
    options.register_opts(conf)
    for where, name in _unknown(conf):
        raise errors.CannotStart(
            f'[pt_migrate] {name} in {where}: there is no such option; '
            f'allowed are {", ".join(opt.name for opt in options.OPTS)}.'
        )
    values = {opt.name: _value(conf, opt) for opt in options.OPTS}
    values['pairings'] = tuple(values['pairings'])
    return Settings(**values)


def _value(conf: cfg.ConfigOpts, opt: cfg.Opt) -> object:
    try:
        return conf[options.GROUP.name][opt.name]
    except ValueError as exc:
        raise errors.CannotStart(
            f'[pt_migrate] {opt.name}: {exc}; allowed is a '
            f'{opt.type}.'
        ) from exc


def _unknown(conf: cfg.ConfigOpts) -> Iterator[tuple[str, str]]:
    """Yield file and name of each option in the group that is not ours.

    oslo.config passes over what nobody registered, so that a misspelt option
    would silently keep its default.
    """
    known = {opt.dest for opt in options.OPTS}
    for path in _files(conf):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(str(path), sections).parse()
        for name in sections.get(options.GROUP.name, {}):
            if name.replace('-', '_') not in known:
                yield str(path), name


def _files(conf: cfg.ConfigOpts) -> list[pathlib.Path]:
    files = [pathlib.Path(path) for path in conf.config_file or ()]
    for folder in conf.config_dir or ():
        files += sorted(pathlib.Path(folder).glob('*.conf'))
    return [path for path in files if path.is_file()]
