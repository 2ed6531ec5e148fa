# SPDX-License-Identifier: Apache-2.0
"""Standbys in special circumstances, one after the other."""

import contextlib
import pathlib

from lab import settings
from lab.judge import outcome
from lab.network import vlan
from lab.observe import facts
from lab.scenarios import fault_run
from lab.scenarios import journey
from lab.scenarios import standby_cases

RATE = 20


def run(
    setup: settings.Settings,
    folder: pathlib.Path,
    only: list[str] | None = None,
) -> int:
    """Run them one after the other; a whole server is used again.

    :param only: names of some
    """
    chosen = standby_cases.choose(only or ())
    outcomes: list[outcome.Outcome] = []
    for around, kind in dict.fromkeys((t.around, t.kind) for t in chosen):
        mine = [t for t in chosen if (t.around, t.kind) == (around, kind)]
        tagged = 'vlan' in kind.split('+')
        with (
            around(setup),
            vlan.known(setup) if tagged else contextlib.nullcontext(),
        ):
            _with_servers(setup, folder, mine, outcomes)
    print(f'\n{(folder / "standbys.txt").read_text()}')
    print(f'Figures: {folder}/standbys.json')
    return 0 if all(each.passed for each in outcomes) else 1


def _with_servers(
    setup: settings.Settings,
    folder: pathlib.Path,
    chosen: list[standby_cases.Trial],
    outcomes: list[outcome.Outcome],
) -> None:
    """Run trials with one server, or more where one does not stay whole."""
    server: facts.Server | None = None
    for trial in chosen:
        for number in range(1, trial.moves + 1):
            if server is None:
                journey.say(f'{trial.name}: booting a server')
                server = journey.boot(
                    setup, f'{folder.name}-{trial.name}', setup.hosts[0].name,
                    trial.devices, trial.kind,
                )  # fmt: skip
            name = f'{trial.name}-{number}'
            way = journey.Journey(setup, folder / name, server, RATE)
            way.folder.mkdir()
            with journey.probing(way):
                journey.home(way)
                outcomes.append(fault_run.run(name, trial.fault, way))
            _write(folder, outcomes)
            if not outcomes[-1].passed:
                journey.say(f'{name}: server {server.uuid} is kept')
                server = None
                break
    if server is not None:
        journey.delete(setup, server.uuid)


def _write(folder: pathlib.Path, outcomes: list[outcome.Outcome]) -> None:
    text = '\n'.join(
        line
        for each in outcomes
        for line in (each.line(), *(f'    {c.seen}' for c in each.seen))
    )
    (folder / 'standbys.txt').write_text(text + '\n')
    (folder / 'standbys.json').write_text(outcome.to_json(outcomes) + '\n')
